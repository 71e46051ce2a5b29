"""`orgctl guardrails explain`: from AWS's access-denied message to the statement behind it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from cli.guardrail_chains import account_id, manifest_if_any, read_live_chains
from cli.guardrail_requests import read_context
from cli.manifest_policies import KINDS, places_of
from cli.render.console import results, talk
from cli.render.explanation import explanation_json, explanation_lines
from cli.settings import Settings
from config.load import LoadedManifest
from org.errors import OrgctlError
from org.explain.decoded import read_refusal
from org.explain.elsewhere import explain_elsewhere, is_of_organization
from org.explain.explanation import Explanation, explain
from org.explain.message import MAX_CHARACTERS, Refusal
from org.policy.authorize import Engine
from org.policy.request import ContextValue
from org.source.findings import Place

Places = Mapping[tuple[str, int], Place]


def explain_message(settings: Settings, message: str, context: list[str], account: str) -> None:
    """Print what refused the call; raises OrgctlError where the message is not understood."""
    refusal = read_refusal(sys.stdin.read(MAX_CHARACTERS + 1) if message == "-" else message)
    known = read_context(context)
    if is_of_organization(refusal):
        explanation, places = _in_organization(settings, refusal, known, account)
    else:
        explanation, places = explain_elsewhere(refusal), {}
    if settings.is_json:
        results().print(explanation_json(explanation, places))
    else:
        for line in explanation_lines(explanation, places):
            results().print(line)


def _in_organization(
    settings: Settings, refusal: Refusal, known: Mapping[str, ContextValue], account: str
) -> tuple[Explanation, Places]:
    try:
        told = manifest_if_any(settings)
    except OrgctlError as error:
        talk().print(f"{settings.manifest} is left aside, since it is not valid: {str(error).splitlines()[0]}")
        told = None
    partition = refusal.principal.split(":")[1] if refusal.principal.startswith("arn:") else "aws"
    chains = read_live_chains(settings, told[1].home_region if told else "", partition)
    owner = account_id(chains, account, "--account") if account else ""
    explanation = explain(refusal, chains, Engine(), known, owner)
    return explanation, _places(explanation, told[0]) if told else {}


def _places(explanation: Explanation, loaded: LoadedManifest) -> Places:
    """Answer where the statements that deny were written, for policies that the manifest names."""
    found = {}
    kinds = {str(type): kind for type, kind in KINDS.items()}
    indexes = {(kinds.get(policy.type), policy.name): index for index, policy in enumerate(loaded.manifest.policies)}
    for suspect in (*explanation.causes, *explanation.others):
        index = indexes.get((suspect.kind, suspect.policy))
        if index is not None:
            value_at, _ = places_of(loaded, index)
            found[suspect.policy, suspect.index] = value_at(("Statement", suspect.index))
    return found
