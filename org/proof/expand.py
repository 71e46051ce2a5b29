"""From a call as it is asked for to requests that stand for all it means.

`iam:*` must hold for every action and resource. Actions that the same statements match behave alike, as far as the
policies at hand can tell, and so do the resources that the same patterns meet: one of each class is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from org.policy.catalog import Catalog
from org.policy.context import is_anybodys
from org.policy.model import Policy
from org.policy.patterns import covers, is_pattern, overlaps
from org.policy.request_keys import passes_tags
from org.proof.regions import is_global

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_WILD = re.compile(r"[*?]")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_FILLED = frozenset({"Partition", "Region", "Account"})
Kind: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Whatever in policies can tell one action or resource from another."""

    actions: frozenset[str]
    resources: frozenset[str]
    keys: frozenset[str]
    """Condition keys of services, in lower case."""


def vocabulary_of(policies: Iterable[Policy]) -> Vocabulary:
    actions: set[str] = set()
    resources: set[str] = set()
    keys: set[str] = set()
    for policy in policies:
        for statement in policy.statements:
            actions |= {action.lower() for action in statement.actions}
            resources |= {_VARIABLE.sub("*", resource) for resource in statement.resources}
            keys |= {condition.key.lower() for condition in statement.conditions}
    own = frozenset(key for key in keys if not key.startswith("aws:"))
    return Vocabulary(frozenset(actions - {"*"}), frozenset(resources - {"*"}), own)


class Expander:
    """Made once for all policies of a proof; what it finds out it keeps."""

    def __init__(self, catalog: Catalog, vocabulary: Vocabulary, partition: str) -> None:
        self._catalog = catalog
        self._vocabulary = vocabulary
        self._partition = partition
        self._expanded: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._starts = [(pattern, _start(pattern)) for pattern in vocabulary.resources]
        self._relations: dict[str, frozenset[tuple[str, bool]]] = {}
        self._keys: dict[str, frozenset[str]] = {}
        self._tagging: dict[str, bool] = {}
        self._marks: dict[str, frozenset[str]] | None = None

    def expand(self, action: str, resource: str) -> tuple[tuple[str, str], ...]:
        """Answer pairs of action and ARN, one of each kind; the ARN may hold `${Account}` and the like (`fill`)."""
        if (action, resource) not in self._expanded:
            found: dict[Kind, tuple[str, str]] = {}
            actions = self._catalog.actions_matching(action) if is_pattern(action) else (action,)
            for name in actions:
                for form in self._forms(name, resource, one=not is_pattern(action)):
                    found.setdefault(self.kind_of(name, form), (name, form))
            self._expanded[action, resource] = tuple(found.values())
        return self._expanded[action, resource]

    def kind_of(self, action: str, form: str) -> Kind:
        """Answer what is the same for all actions on resources that no policy of the proof tells apart."""
        if (action, form) not in self._kinds:
            entry = self._catalog.find_action(action)
            service = action.partition(":")[0].lower()
            self._kinds[action, form] = (
                self._marks_of(action),
                self._catalog.supports_resource_control(action),
                is_global(action),
                self._keys_of(service),
                self._may_pass_tags(action),
                "" if entry else action,
                entry is not None and not entry.resources,
                self._relation(form),
                is_anybodys(_PLACEHOLDER.sub("*", form)),
                tuple(sorted(set(_PLACEHOLDER.findall(form)) & _FILLED)),
            )
        return self._kinds[action, form]

    def _forms(self, action: str, resource: str, *, one: bool) -> Iterable[str]:
        """Answer the ARNs on which to ask for an action; of `iam:*` on a role only those that are done to roles."""
        entry = self._catalog.find_action(action)
        forms = sorted({each.arn for each in entry.resources if each.arn}) if entry else []
        if not one and (entry is None or self._catalog.is_free(action)):
            return ()
        if not resource:
            return forms or ("*",)
        return (resource,) if one or any(_meet(form, resource) for form in forms) else ()

    def _marks_of(self, action: str) -> frozenset[str]:
        """Answer the Action patterns that match an action."""
        if self._marks is None:
            marks: dict[str, set[str]] = {}
            for pattern in self._vocabulary.actions:
                for name in self._catalog.actions_matching(pattern):
                    marks.setdefault(name.lower(), set()).add(pattern)
            self._marks = {name: frozenset(found) for name, found in marks.items()}
        return self._marks.get(action.lower(), frozenset())

    def _keys_of(self, service: str) -> frozenset[str]:
        """Answer the condition keys that requests to a service may carry."""
        if service not in self._keys:
            keys = (key for key in self._vocabulary.keys if not self._catalog.is_foreign(service, key))
            self._keys[service] = frozenset(keys)
        return self._keys[service]

    def _may_pass_tags(self, action: str) -> bool:
        if action not in self._tagging:
            entry = self._catalog.find_action(action)
            self._tagging[action] = entry is None or passes_tags(entry)
        return self._tagging[action]

    def _relation(self, form: str) -> frozenset[tuple[str, bool]]:
        """Answer the Resource patterns that meet an ARN, and whether each covers it."""
        if form not in self._relations:
            open = _PLACEHOLDER.sub("*", form.replace("${Partition}", self._partition))
            start = _start(open)
            met = (
                pattern
                for pattern, begins in self._starts
                if (begins.startswith(start) or start.startswith(begins)) and overlaps(pattern, open)
            )
            self._relations[form] = frozenset((pattern, covers(pattern, open)) for pattern in met)
        return self._relations[form]


def _start(pattern: str) -> str:
    """Answer what every text begins with that the pattern matches."""
    return _WILD.split(pattern, maxsplit=1)[0]


def _meet(form: str, resource: str) -> bool:
    return form != "*" and overlaps(_PLACEHOLDER.sub("*", form), resource)


def fill(form: str, *, partition: str, region: str, account: str) -> str:
    """Answer the ARNs of a form in one account and Region; what else it leaves open is `*`."""
    if "${" not in form:
        return form
    known = {"Partition": partition, "Region": region, "Account": account}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], "*"), form)


def find_witnesses(asked: str, patterns: Iterable[str], *, region: str, account: str) -> Iterator[str]:
    """Yield single resources among those asked for: one of no special name, and one that each pattern matches."""
    yield _concrete(asked)
    for pattern in patterns:
        if is_pattern(asked) and overlaps(pattern, asked):
            parts, known = _VARIABLE.sub("*", pattern).split(":", 5), asked.split(":", 5)
            if len(parts) == len(known) == 6:
                parts[:5] = [
                    k if is_pattern(p) and not is_pattern(k) else p for p, k in zip(parts[:5], known[:5], strict=True)
                ]
                if is_pattern(parts[3]):
                    parts[3] = region
                if is_pattern(parts[4]):
                    parts[4] = account
                last = parts[5] if parts[5] != "*" else known[5]
                yield _concrete(":".join([*parts[:5], last]))


def _concrete(pattern: str) -> str:
    return pattern.replace("*", "example").replace("?", "x")
