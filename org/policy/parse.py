"""The one reader of policies: JSON to `org.policy.model`, with file:line:column of all that the grammar refuses.

A single statement may stand for a list of one, a text for a list of one; numbers and booleans as condition values
become text, as at AWS. Unknown actions and condition keys are no faults of grammar: `org.policy.lint` finds them.

What is about to be sent is refused where AWS refuses it, or its own validation calls it an error. What AWS holds
(`in_force`) AWS has accepted, perhaps long ago: there a fault is passed over as long as the meaning is plain, such as
an element in another case, a Sid that stands twice, or a value that can never match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Mapping

from org.policy.grammar import CURRENT_VERSION, GRAMMARS, OLD_VERSION, TOP_ELEMENTS, grammar_of
from org.policy.model import Policy, PolicyKind, Statement
from org.policy.parse_nodes import Faults, Members, find_repeated_keys, read_members, read_text, shown
from org.policy.parse_places import PlacedPolicy, StatementPlaces, node_of
from org.policy.parse_statement import StatementReader, a_kind
from org.source.findings import Finding, Place, SourceErrors
from org.source.json_text import compose_json, places_in
from org.source.nodes import ListNode, MappingNode, Node, Unusable


def parse_policy(
    text: str, kind: PolicyKind, name: str, *, file: str = "", arn: str = "", in_force: bool = False
) -> Policy:
    """Read a policy's text; raises SourceErrors with every fault, its file being `file`, else `name`."""
    findings: list[Finding] = []
    node = compose_policy(text, file or name, findings)
    if node is None:
        raise SourceErrors(file or name, findings)
    return _read_or_raise(node, kind, name, arn, file or name, in_force=in_force)


def policy_of(document: Mapping[str, object], kind: PolicyKind, name: str, arn: str = "") -> Policy:
    """Read a policy as AWS holds it; raises SourceErrors for what has no plain meaning, naming `name` and no line."""
    return _read_or_raise(node_of(document, lambda _steps: Place(name)), kind, name, arn, name, in_force=True)


def _read_or_raise(node: Node, kind: PolicyKind, name: str, arn: str, where: str, *, in_force: bool) -> Policy:
    faults = Faults()
    placed = read_placed(node, kind, name, arn, faults)
    told = faults.unclear if in_force else faults.all
    if told or placed is None:
        raise SourceErrors(where, told)
    return placed.policy


def compose_policy(text: str, file: str, findings: list[Finding]) -> Node | None:
    """Answer the nodes of a policy's text, or None where it is not JSON."""
    try:
        return compose_json(text, places_in(text, file))
    except Unusable as error:
        findings.append(error.finding)
        return None


def read_policy(node: Node, kind: PolicyKind, name: str, arn: str, findings: list[Finding]) -> Policy | None:
    """Answer the policy that the nodes make; all that AWS would refuse is added to `findings`.

    None where nothing could be read at all. With findings, what was read may lack what they tell of.
    """
    faults = Faults()
    placed = read_placed(node, kind, name, arn, faults)
    findings += faults.all
    return placed.policy if placed is not None else None


def read_placed(node: Node, kind: PolicyKind, name: str, arn: str, faults: Faults) -> PlacedPolicy | None:
    """Answer the policy with the places of its parts, for whoever has more to say of them."""
    find_repeated_keys(node, faults)
    if not isinstance(node, MappingNode):
        faults.puzzle(node.place, "the policy is not a JSON object", "write it in braces")
        return None
    members = read_members(node, TOP_ELEMENTS, a_kind(kind), faults)
    if "Id" in members:
        read_text(members["Id"][1], "Id", faults)
    version, version_place = _read_version(members, kind, node.place, faults)
    reader = StatementReader(kind, grammar_of(kind, name, arn), faults)
    statements = _read_statements(members, reader, node.place)
    policy = Policy(name, kind, tuple(statement for statement, _ in statements), arn, version)
    return PlacedPolicy(policy, node.place, version_place, tuple(places for _, places in statements))


def _read_version(members: Members, kind: PolicyKind, at: Place, faults: Faults) -> tuple[str, Place]:
    todo = f'write "Version": "{CURRENT_VERSION}"'
    if "Version" not in members:
        if GRAMMARS[kind].needs_version:
            faults.refuse(at, "the policy has no Version", todo)
        return OLD_VERSION, at
    node = members["Version"][1]
    text = read_text(node, "Version", faults)
    if text is None:
        return CURRENT_VERSION, node.place
    if text not in {CURRENT_VERSION, OLD_VERSION}:
        faults.puzzle(node.place, f"the policy's Version is {shown(node)}", todo)
    elif text == OLD_VERSION and GRAMMARS[kind].needs_version:
        faults.refuse(node.place, f"{a_kind(kind)} cannot have the Version {text}", todo)
    return text, node.place


def _read_statements(members: Members, reader: StatementReader, at: Place) -> list[tuple[Statement, StatementPlaces]]:
    faults = reader.faults
    if "Statement" not in members:
        faults.puzzle(at, "the policy has no Statement", "write at least one")
        return []
    node = members["Statement"][1]
    if isinstance(node, ListNode) and not node.items:
        faults.puzzle(node.place, "the policy has no Statement", "write at least one")
        return []
    listed = node.items if isinstance(node, ListNode) else [node]
    read = [pair for index, item in enumerate(listed) if (pair := reader.read(item, index)) is not None]
    _find_repeated_sids(read, faults)
    return read


def _find_repeated_sids(read: list[tuple[Statement, StatementPlaces]], faults: Faults) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html"""
    first: dict[str, Place] = {}
    for statement, places in read:
        if statement.sid and (other := first.setdefault(statement.sid, places.sid)) is not places.sid:
            faults.refuse(places.sid, f"the Sid {statement.sid!r} is already at {other}", "rename one of the two")
