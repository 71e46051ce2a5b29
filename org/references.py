"""References to ids that exist only once the organization does: `${orgctl:account-id:Audit}` in a policy or parameter.

A manifest may be written before the first account exists, so ids stand in it by name and are filled in when the plan
is made, or, for what the plan itself creates, when it is applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

ORGANIZATION_ID = "organization-id"
ROOT_ID = "root-id"
MANAGEMENT_ACCOUNT_ID = "management-account-id"

_REFERENCE = re.compile(r"\$\{orgctl:([^}]*)\}")


def account_reference(name: str) -> str:
    return f"account-id:{name}"


def unit_reference(path: str) -> str:
    return f"unit-id:{path}"


def policy_reference(type: str, name: str) -> str:
    return f"policy-id:{type}:{name}"


def stackset_reference(name: str) -> str:
    return f"stackset-arn:{name}"


def reference_to(name: str) -> str:
    """Answer the text that stands for an id: of `organization-id`, `${orgctl:organization-id}`."""
    return f"${{orgctl:{name}}}"


def find_references(text: str) -> Iterator[str]:
    """Yield what each reference in the text names: `account-id:Audit`."""
    return (_unescaped(match.group(1)) for match in _REFERENCE.finditer(text))


def resolve(text: str, ids: Mapping[str, str]) -> str:
    """Fill in each reference whose id is known and leave the others as they are."""

    def id_of(match: re.Match[str]) -> str:
        name = match.group(1)
        return ids.get(name) or ids.get(_unescaped(name), match.group(0))

    return _REFERENCE.sub(id_of, text)


def _unescaped(name: str) -> str:
    """In the JSON of a policy, a quote or backslash in an account's name is escaped."""
    if "\\" not in name:
        return name
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:
        return name


def with_sample_ids(text: str) -> str:
    """Answer the text with ids of AWS's form and length where references stand, to check it before the ids exist."""
    return resolve(text, {reference: _sample_id(reference) for reference in find_references(text)})


def _sample_id(reference: str) -> str:
    if reference == ORGANIZATION_ID:
        return "o-" + 10 * "0"
    if reference == ROOT_ID:
        return "r-" + 4 * "0"
    return ("ou-0000-" + 8 * "0") if reference.startswith(unit_reference("")) else 12 * "0"
