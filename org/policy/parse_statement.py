"""One statement of a policy: which elements its kind allows, and what they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from org.policy.grammar import STATEMENT_ELEMENTS, Grammar, Presence
from org.policy.model import Effect, PolicyKind, Principals, Statement
from org.policy.parse_conditions import read_conditions
from org.policy.parse_nodes import Faults, Members, Text, read_members, read_text, read_texts, shown
from org.policy.parse_places import StatementPlaces
from org.policy.parse_principals import read_principals
from org.policy.parse_values import complete_arn, find_action_fault, find_arn_fault
from org.source.findings import Place
from org.source.nodes import MappingNode, Node

_PLAIN_SID = re.compile(r"[A-Za-z0-9]*")
_WHY_REFUSED = {
    "Principal": "the policy reaches whom it is attached to",
    "Resource": "the resource is what the policy is attached to",
}


@dataclass(slots=True)
class StatementReader:
    """Reads the statements of one policy; what is wrong is added to `faults`."""

    kind: PolicyKind
    grammar: Grammar
    faults: Faults

    def read(self, node: Node, index: int) -> tuple[Statement, StatementPlaces] | None:
        if not isinstance(node, MappingNode):
            self.faults.puzzle(node.place, "a statement is not a JSON object", "write it in braces")
            return None
        members = read_members(node, STATEMENT_ELEMENTS, "a statement", self.faults)
        effect = self._read_effect(members, node.place)
        action_name, actions = self._read_actions(members, node.place)
        resource_name, resources = self._read_resources(members, node.place)
        principal_name, principals = self._read_principals(members, node.place)
        conditions = read_conditions(members["Condition"][1], self.faults) if "Condition" in members else []
        sid = self._read_sid(members)
        if effect is None or not actions or (resource_name == "Resource" and resources == []):
            return None
        statement = Statement(
            effect=effect,
            actions=tuple(text for text, _ in actions),
            sid=sid,
            index=index,
            not_actions=action_name == "NotAction",
            resources=tuple(text for text, _ in resources or ()),
            not_resources=resource_name == "NotResource",
            principals=principals,
            not_principals=principal_name == "NotPrincipal",
            conditions=tuple(condition for condition, _ in conditions),
        )
        places = StatementPlaces(
            statement=node.place,
            sid=members["Sid"][1].place if "Sid" in members else node.place,
            effect=members["Effect"][1].place,
            actions=tuple(place for _, place in actions),
            resources=tuple(place for _, place in resources or ()),
            conditions=tuple(place for _, place in conditions),
        )
        return statement, places

    def _read_sid(self, members: Members) -> str:
        if "Sid" not in members:
            return ""
        node = members["Sid"][1]
        sid = read_text(node, "Sid", self.faults) or ""
        if self.grammar.plain_sid and not _PLAIN_SID.fullmatch(sid):
            what = f"the Sid {sid!r} holds other than letters and digits"
            self.faults.refuse(node.place, what, f"write {re.sub(r'[^A-Za-z0-9]', '', sid)!r}")
        return sid

    def _read_effect(self, members: Members, at: Place) -> Effect | None:
        allowed = f"{self._a_kind} can {'Deny' if self.grammar.only_deny else 'Allow or Deny'}"
        if "Effect" not in members:
            self.faults.puzzle(at, "the statement has no Effect", allowed)
            return None
        node = members["Effect"][1]
        text = read_text(node, "Effect", self.faults)
        if text is None:
            return None
        effect = next((each for each in Effect if each.lower() == text.lower()), None)
        what = f"the statement's Effect is {shown(node)}"
        if effect is None:
            self.faults.puzzle(node.place, what, allowed)
        elif text != effect or (self.grammar.only_deny and effect is not Effect.DENY):
            self.faults.refuse(node.place, what, allowed)
        return effect

    def _read_actions(self, members: Members, at: Place) -> tuple[str, list[Text]]:
        name = self._choose(members, "Action", Presence.NEEDED, at)
        if name is None:
            return "Action", []
        texts = read_texts(members[name][1], name, self.faults)
        for text, place in texts:
            fault = find_action_fault(text)
            if fault is not None:
                # No page says whether white space is passed over, so that the action is meant, or not.
                tell = self.faults.puzzle if re.search(r"\s", text) else self.faults.refuse
                tell(place, *fault)
            elif text == "*" and self.grammar.only_everyone:
                what = f"the action '*' alone is not allowed in {self._a_kind}"
                self.faults.refuse(place, what, "name services, such as s3:*")
        if name == "NotAction" and not texts:
            return "Action", [("*", members[name][1].place)]
        return name, texts

    def _read_resources(self, members: Members, at: Place) -> tuple[str, list[Text] | None]:
        """Answer None for every resource, and an empty list for none at all."""
        name = self._choose(members, "Resource", self.grammar.resource, at)
        if name is None:
            return "Resource", None
        texts = read_texts(members[name][1], name, self.faults)
        for text, place in texts:
            fault = find_arn_fault(text)
            if fault is not None:
                self.faults.refuse(place, *fault)
        if name == "NotResource" and not texts:
            return "Resource", None
        return name, [(complete_arn(text), place) for text, place in texts]

    def _read_principals(self, members: Members, at: Place) -> tuple[str, Principals | None]:
        name = self._choose(members, "Principal", self.grammar.principal, at)
        if name is None:
            return "Principal", None
        node = members[name][1]
        principals = read_principals(node, name, self.faults)
        if principals is not None and self.grammar.only_everyone and principals != Principals(everyone=True):
            what = f"the Principal of {self._a_kind} is not '*'"
            self.faults.refuse(node.place, what, 'write "Principal": "*"')
        return name, principals

    def _choose(self, members: Members, name: str, presence: Presence, at: Place) -> str | None:
        """Answer which of an element and its Not… is given, if any; tell of both, or of none where one is needed."""
        given = [each for each in (name, f"Not{name}") if each in members]
        if presence is Presence.REFUSED:
            for each in given:
                todo = "remove it: " + _WHY_REFUSED[name]
                self.faults.puzzle(members[each][0].place, f"{self._a_kind} has no element {each!r}", todo)
            return None
        if self.grammar.only_everyone and name in {"Action", "Principal"} and f"Not{name}" in given:
            place = members[f"Not{name}"][0].place
            self.faults.refuse(place, f"{self._a_kind} has no element 'Not{name}'", f"write {name}")
        if len(given) > 1:
            what = f"the statement has both {name} and Not{name}"
            self.faults.puzzle(members[f"Not{name}"][0].place, what, "keep one of them")
        elif not given and presence is Presence.NEEDED:
            tell = self.faults.refuse if name == "Resource" else self.faults.puzzle
            tell(at, f"the statement has no {name}", f"add {self._either(name)}")
        return given[0] if given else None

    def _either(self, name: str) -> str:
        return name if self.grammar.only_everyone and name != "Resource" else f"{name} or Not{name}"

    @property
    def _a_kind(self) -> str:
        return a_kind(self.kind)


def a_kind(kind: PolicyKind) -> str:
    """Answer the kind's name with its article, for the middle of a sentence."""
    return f"an {kind}" if kind is PolicyKind.IDENTITY else f"a {kind}"
