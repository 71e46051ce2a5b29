"""The text of a policy that names a guardrail; pure."""

from __future__ import annotations

import json
import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.load import LoadedManifest
from config.policy_text import find_size_faults
from config.strict import REFUSED
from org.source.findings import Finding, suggest
from stacksets.guardrails.catalog import Guardrail, guardrails
from stacksets.guardrails.surroundings import surroundings_of


def render_guardrail(loaded: LoadedManifest, index: int, findings: list[Finding]) -> str:
    """Answer the compact JSON of the guardrail that policy number `index` names; what is wrong goes to `findings`."""
    policy = loaded.manifest.policies[index]
    catalog = guardrails()
    guardrail = catalog.get(policy.guardrail or "")
    if guardrail is None:
        what = f"unknown guardrail {policy.guardrail!r}"
        todo = suggest(policy.guardrail or "", catalog, otherwise="the guardrails are " + ", ".join(catalog))
        findings.append(Finding(loaded.place("policies", index, "guardrail"), what, todo))
        return ""
    if policy.type != guardrail.type:
        what = f"guardrail {guardrail.name!r} is a {guardrail.type}, not a {policy.type}"
        findings.append(Finding(loaded.place("policies", index, "type"), what, f"write type: {guardrail.type}"))
        return ""
    return _render(loaded, index, guardrail, findings)


def _render(loaded: LoadedManifest, index: int, guardrail: Guardrail, findings: list[Finding]) -> str:
    given = loaded.manifest.policies[index].parameters
    known = guardrail.parameters.model_fields
    for name in sorted(given.keys() - known.keys()):
        what = f"guardrail {guardrail.name!r} has no parameter {name!r}"
        listed = "its parameters are " + ", ".join(known) if known else "it takes none"
        place = loaded.place("policies", index, "parameters", name)
        findings.append(Finding(place, what, suggest(name, known, otherwise=listed)))
    surroundings = surroundings_of(loaded.manifest)
    values = {name: value for name, value in given.items() if name in known}
    try:
        parameters = guardrail.parameters.model_validate(values, context=surroundings)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place = loaded.place("policies", index, "parameters", *detail["loc"])
            findings.append(Finding(place, *_worded(detail, guardrail)))
        return ""
    content = guardrail.render(parameters, surroundings)
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    findings += find_size_faults(guardrail.type, text, loaded.place("policies", index, "guardrail"))
    return text


def _worded(detail: ErrorDetails, guardrail: Guardrail) -> tuple[str, str]:
    """Answer what is wrong and what to do, from what pydantic says of one value."""
    if not detail["loc"]:  # said of the parameters together
        return f"guardrail {guardrail.name!r}: {detail['ctx']['what']}", str(detail["ctx"]["todo"])
    name = str(detail["loc"][0])
    if detail["type"] == "missing":
        todo = f"add it; it means: {guardrail.parameters.model_fields[name].description}"
        return f"guardrail {guardrail.name!r} needs the parameter {name!r}", todo
    of = f"parameter {name!r} of guardrail {guardrail.name!r}"
    if detail["type"] == REFUSED:
        return f"{of}: {detail['ctx']['what']}", str(detail["ctx"]["todo"])
    # The manifest's lists are tuples by now, a word that YAML does not have.
    said = re.sub("^(Input|String|Tuple) ", "", detail["msg"]).replace("valid tuple", "list")
    return f"{of} {said}, not {detail['input']!r}", f"it means: {guardrail.parameters.model_fields[name].description}"
