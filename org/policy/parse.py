"""The one reader of policies: JSON to `org.policy.model`, with file:line:column of all that the grammar refuses.

A single statement may stand for a list of one, a text for a list of one; numbers and booleans as condition values
become text, as at AWS. Unknown actions and condition keys are no faults of grammar: `org.policy.lint` finds them.
"""

from __future__ import annotations

from collections.abc import Mapping

from org.policy.grammar import CURRENT_VERSION, GRAMMARS, OLD_VERSION, TOP_ELEMENTS, grammar_of
from org.policy.model import Policy, PolicyKind, Statement
from org.policy.parse_nodes import Members, find_repeated_keys, read_members, read_text, shown
from org.policy.parse_places import PlacedPolicy, StatementPlaces, node_of
from org.policy.parse_statement import StatementReader, a_kind
from org.source.findings import Finding, Place, SourceErrors
from org.source.json_text import compose_json, places_in
from org.source.nodes import ListNode, MappingNode, Node, Unusable


def parse_policy(text: str, kind: PolicyKind, name: str, *, file: str = "", arn: str = "") -> Policy:
    """Read a policy's text; raises SourceErrors with every fault, its file being `file`, else `name`."""
    findings: list[Finding] = []
    node = compose_policy(text, file or name, findings)
    policy = read_policy(node, kind, name, arn, findings) if node is not None else None
    if findings or policy is None:
        raise SourceErrors(file or name, findings)
    return policy


def policy_of(document: Mapping[str, object], kind: PolicyKind, name: str, arn: str = "") -> Policy:
    """Read a policy that is no longer text; raises SourceErrors, whose findings name `name` and no line."""
    findings: list[Finding] = []
    policy = read_policy(node_of(document, lambda _steps: Place(name)), kind, name, arn, findings)
    if findings or policy is None:
        raise SourceErrors(name, findings)
    return policy


def compose_policy(text: str, file: str, findings: list[Finding]) -> Node | None:
    """Answer the nodes of a policy's text, or None where it is not JSON."""
    try:
        return compose_json(text, places_in(text, file))
    except Unusable as error:
        findings.append(error.finding)
        return None


def read_policy(
    node: Node, kind: PolicyKind, name: str, arn: str = "", findings: list[Finding] | None = None
) -> Policy | None:
    """Answer the policy that the nodes make; what is wrong is added to `findings`.

    None where nothing could be read at all. With findings, what was read lacks what they tell of.
    """
    placed = read_placed(node, kind, name, arn, [] if findings is None else findings)
    return placed.policy if placed is not None else None


def read_placed(node: Node, kind: PolicyKind, name: str, arn: str, findings: list[Finding]) -> PlacedPolicy | None:
    """Answer the policy with the places of its parts, for whoever has more to say of them."""
    find_repeated_keys(node, findings)
    if not isinstance(node, MappingNode):
        findings.append(Finding(node.place, "the policy is not a JSON object", "write it in braces"))
        return None
    members = read_members(node, TOP_ELEMENTS, a_kind(kind), findings)
    if "Id" in members:
        read_text(members["Id"][1], "Id", findings)
    version, version_place = _read_version(members, kind, node.place, findings)
    reader = StatementReader(kind, grammar_of(kind, name, arn), findings)
    statements = _read_statements(members, reader, node.place)
    policy = Policy(name, kind, tuple(statement for statement, _ in statements), arn, version)
    return PlacedPolicy(policy, node.place, version_place, tuple(places for _, places in statements))


def _read_version(members: Members, kind: PolicyKind, at: Place, findings: list[Finding]) -> tuple[str, Place]:
    todo = f'write "Version": "{CURRENT_VERSION}"'
    if "Version" not in members:
        if GRAMMARS[kind].needs_version:
            findings.append(Finding(at, "the policy has no Version", todo))
        return OLD_VERSION, at
    node = members["Version"][1]
    text = read_text(node, "Version", findings)
    if text is None:
        return CURRENT_VERSION, node.place
    if text not in {CURRENT_VERSION, OLD_VERSION}:
        findings.append(Finding(node.place, f"the policy's Version is {shown(node)}", todo))
    elif text == OLD_VERSION and GRAMMARS[kind].needs_version:
        findings.append(Finding(node.place, f"{a_kind(kind)} cannot have the Version {text}", todo))
    return text, node.place


def _read_statements(members: Members, reader: StatementReader, at: Place) -> list[tuple[Statement, StatementPlaces]]:
    findings = reader.findings
    if "Statement" not in members:
        findings.append(Finding(at, "the policy has no Statement", "write at least one"))
        return []
    node = members["Statement"][1]
    if isinstance(node, ListNode) and not node.items:
        findings.append(Finding(node.place, "the policy has no Statement", "write at least one"))
        return []
    listed = node.items if isinstance(node, ListNode) else [node]
    read = [pair for index, item in enumerate(listed) if (pair := reader.read(item, index)) is not None]
    _find_repeated_sids(read, findings)
    return read


def _find_repeated_sids(read: list[tuple[Statement, StatementPlaces]], findings: list[Finding]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html"""
    first: dict[str, Place] = {}
    for statement, places in read:
        if statement.sid and (other := first.setdefault(statement.sid, places.sid)) is not places.sid:
            findings.append(
                Finding(places.sid, f"the Sid {statement.sid!r} is already at {other}", "rename one of the two")
            )
