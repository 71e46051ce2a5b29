"""The content of a policy: a file's or inline text as `config` read it, or a guardrail rendered here."""

from __future__ import annotations

import json

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.fields import REFUSED
from config.findings import suggest
from config.load import LoadedManifest
from stacksets.faults import Faults
from stacksets.guardrails.catalog import Guardrail, guardrails
from stacksets.guardrails.surroundings import surroundings_of


def render_guardrail(loaded: LoadedManifest, index: int, faults: Faults) -> str:
    """Render the guardrail that policy number `index` names; empty where a fault was found."""
    policy = loaded.manifest.policies[index]
    catalog = guardrails()
    guardrail = catalog.get(policy.guardrail or "")
    if guardrail is None:
        what = f"unknown guardrail {policy.guardrail!r}"
        todo = suggest(policy.guardrail or "", catalog, otherwise="the guardrails are " + ", ".join(catalog))
        faults.add(loaded.where("policies", index, "guardrail"), what, todo)
        return ""
    if policy.type != guardrail.type:
        what = f"guardrail {guardrail.name!r} is a {guardrail.type}, not a {policy.type}"
        faults.add(loaded.where("policies", index, "type"), what, f"write type: {guardrail.type}")
        return ""
    return _render(loaded, index, guardrail, faults)


def _render(loaded: LoadedManifest, index: int, guardrail: Guardrail, faults: Faults) -> str:
    given = loaded.manifest.policies[index].parameters
    known = guardrail.parameters.model_fields
    for name in sorted(given.keys() - known.keys()):
        what = f"guardrail {guardrail.name!r} has no parameter {name!r}"
        listed = "its parameters are " + ", ".join(known) if known else "it takes none"
        where = loaded.where("policies", index, "parameters", name)
        faults.add(where, what, suggest(name, known, otherwise=listed))
    try:
        parameters = guardrail.parameters(**{name: value for name, value in given.items() if name in known})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = loaded.where("policies", index, "parameters", *detail["loc"])
            faults.add(where, *_worded(detail, guardrail))
        return ""
    content = guardrail.render(parameters, surroundings_of(loaded.manifest))
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def _worded(detail: ErrorDetails, guardrail: Guardrail) -> tuple[str, str]:
    """Answer what is wrong and what to do, from what pydantic says of one value."""
    name = str(detail["loc"][0])
    of = f"parameter {name!r} of guardrail {guardrail.name!r}"
    if detail["type"] == REFUSED:
        return f"{of}: {detail['ctx']['what']}", str(detail["ctx"]["todo"])
    # The manifest's lists are tuples by now, a word that YAML does not have.
    said = detail["msg"].replace("valid tuple", "list").removeprefix("Input ")
    return f"{of} {said}, not {detail['input']!r}", f"it means: {guardrail.parameters.model_fields[name].description}"
