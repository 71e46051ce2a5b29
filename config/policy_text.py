"""The text of a policy as it is sent to AWS: from a file or inline, filled, minified, checked; pure.

The files were read by `config.load`; guardrails are rendered by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.manifest import PolicySpec
from config.policy_file import PolicyFile
from config.variables import Fillings, fill, find_faults
from org.policy.grammar import MANAGEMENT_TOP_KEYS, STATEMENT_KINDS
from org.policy.parse import policy_of, read_policy
from org.policy.parse_places import node_of
from org.policy.render import minify, too_long
from org.quotas import load_quotas
from org.references import with_sample_ids
from org.source.findings import Finding, Place, SourceErrors, suggest
from org.source.nodes import Positions, plain

PlaceOf = Callable[[tuple[str | int, ...]], Place]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the parts of a policy's content were written."""

    value: PlaceOf
    key: PlaceOf


def render_policy(
    policy: PolicySpec, file: tuple[str, str] | None, fillings: Fillings, place_of: PlaceOf, findings: list[Finding]
) -> str:
    """Answer the compact JSON of a policy; what is wrong with it is added to `findings`.

    `file` is the shown name and the text of the policy's file, or None for an inline policy; `place_of` answers the
    place of a value within the policy's entry in the manifest.
    """
    known = len(findings)
    fillings = fillings.with_more(policy.variables)
    if file is None:
        value: Any = policy.inline
        places = _inline_places(place_of)
        findings += [Finding(places.value(steps), what, todo) for steps, what, todo in find_faults(value, fillings)]
    else:
        value, places = _read_file(*file, fillings, findings)
    if len(findings) > known:
        return ""
    content = fill(value, fillings)
    if policy.type in STATEMENT_KINDS and isinstance(content, Mapping):
        _read_statements(policy.type, content, places, findings)
    else:
        faults = _find_shape_faults(policy.type, content)
        findings += [Finding(places.value(steps), what, todo) for steps, what, todo in faults]
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    findings += find_size_faults(policy.type, text, place_of(("inline" if file is None else "file",)))
    return text


def _inline_places(place_of: PlaceOf) -> _Places:
    def within(steps: tuple[str | int, ...]) -> Place:
        return place_of(("inline", *steps))

    return _Places(within, within)


def _read_file(name: str, text: str, fillings: Fillings, findings: list[Finding]) -> tuple[Any, _Places]:
    source = PolicyFile(text, name, fillings)
    node = source.read()
    findings += source.findings
    if node is None:
        return None, _Places(lambda _steps: Place(name), lambda _steps: Place(name))
    value, positions = plain(node, findings), Positions(node)
    if not source.findings:
        # What an escape like \u0024 hid from the look at the text.
        findings += [Finding(positions.of(steps), what, todo) for steps, what, todo in find_faults(value, fillings)]
    return value, _Places(positions.of, lambda steps: positions.of(steps, key=True))


def _find_shape_faults(type: str, content: Any) -> Iterator[tuple[tuple[str | int, ...], str, str]]:  # noqa: ANN401
    """An inheritance operator (`@@operators_allowed_for_child_policies`) may stand at any level.

    https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
    """
    if not isinstance(content, Mapping):
        yield (), "the policy is not a JSON object", "write it in braces"
    elif (top := MANAGEMENT_TOP_KEYS.get(type)) is not None:
        for key in (key for key in content if key != top and not key.startswith("@@")):
            todo = suggest(key, (top,), otherwise=f"its only key is {top!r}")
            yield (key,), f"a {type} has no key {key!r} at its top", todo
        if top not in content:
            yield (), f"the policy has no key {top!r}", f"begin it with {top!r}, as every {type} does"
    elif not content:
        yield (), "the policy is empty", "write what it is to set"


def _read_statements(type: str, content: Mapping[str, Any], places: _Places, findings: list[Finding]) -> None:
    """Let the reader of policies find what AWS would refuse; what is filled in later stands as `${…}` until then."""
    read_policy(node_of(content, places.value, places.key), STATEMENT_KINDS[type], "policy", "", findings)


def find_size_faults(type: str, text: str, place: Place) -> Iterator[Finding]:
    """Yield a finding for a compact text that AWS does not take as a policy of the type, its ids filled in."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"the policy holds half a character, \\u{ord(text[error.start]):04x}"
        yield Finding(place, what, "write both halves or none")
        return
    most = load_quotas().policy(type).max_bytes
    text = with_sample_ids(text)
    if len(text) > most:
        yield Finding(place, *too_long(len(text), most, f" for a {type}", _shortest(type, text)))


def _shortest(type: str, text: str) -> int | None:
    """Answer how long the text would be without what it says twice, as far as that is known."""
    if type not in STATEMENT_KINDS:
        return None
    try:
        return len(minify(policy_of(json.loads(text), STATEMENT_KINDS[type], "policy")))
    except SourceErrors:
        return None
