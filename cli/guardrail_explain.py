"""`orgctl guardrails explain`: from AWS's access-denied message to the statement behind it."""

from __future__ import annotations

from collections.abc import Mapping

from cli.guardrail_chains import account_id, manifest_if_any, read_live_chains
from cli.guardrail_requests import read_context
from cli.manifest_policies import how_to_spare, places_of
from cli.pasted_text import unframed
from cli.render.console import results, talk
from cli.render.explanation import Written, explanation_json, explanation_lines
from cli.settings import Settings
from cli.text_files import read_stdin
from config.load import LoadedManifest
from org.errors import OrgctlError
from org.explain.asked import asker
from org.explain.decoded import read_refusal
from org.explain.elsewhere import explain_elsewhere, is_of_organization
from org.explain.explanation import Explanation, explain
from org.explain.message import MAX_CHARACTERS, Refusal
from org.policy.authorize import Engine
from org.policy.grammar import STATEMENT_KINDS
from org.policy.request import ContextValue

_SIGN = "is not authorized to perform"


def explain_message(settings: Settings, message: str, context: list[str], account: str) -> None:
    """Print what refused the call; raises OrgctlError where the message is not understood."""
    text = read_stdin(MAX_CHARACTERS + 1) if message == "-" else message
    refusal = read_refusal(unframed(text, _SIGN))
    known = read_context(context)
    if is_of_organization(refusal):
        asker(refusal)
        explanation, written = _in_organization(settings, refusal, known, account)
    else:
        explanation, written = explain_elsewhere(refusal), Written()
    if settings.is_json:
        results().print(explanation_json(explanation, written))
    else:
        for line in explanation_lines(explanation, written):
            results().print(line)


def _in_organization(
    settings: Settings, refusal: Refusal, known: Mapping[str, ContextValue], account: str
) -> tuple[Explanation, Written]:
    try:
        told = manifest_if_any(settings)
    except OrgctlError as error:
        talk().print(f"{settings.manifest} is left aside, since it is not valid: {str(error).splitlines()[0]}")
        told = None
    partition = refusal.principal.split(":")[1] if refusal.principal.startswith("arn:") else "aws"
    chains = read_live_chains(settings, told[1].home_region if told else "", partition)
    owner = account_id(chains, account, "--account") if account else ""
    explanation = explain(refusal, chains, Engine(), known, owner)
    return explanation, _written(explanation, told[0]) if told else Written()


def _written(explanation: Explanation, loaded: LoadedManifest) -> Written:
    """Answer where the manifest has the statements that deny, and how it spares someone in them."""
    found = Written()
    kinds = {str(type): kind for type, kind in STATEMENT_KINDS.items()}
    indexes = {(kinds.get(policy.type), policy.name): index for index, policy in enumerate(loaded.manifest.policies)}
    for suspect in (*explanation.causes, *explanation.others):
        index = indexes.get((suspect.kind, suspect.policy))
        if index is not None:
            value_at, _ = places_of(loaded, index)
            place = value_at(("Statement", suspect.index))
            found.places[suspect.policy, suspect.index] = place
            if how := how_to_spare(loaded, index, suspect.index, explanation.principal):
                found.ways[suspect.policy, suspect.sid] = f"{place}: {how}"
    return found
