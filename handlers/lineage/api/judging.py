"""The organization's rules, as the API asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from handlers.lineage.api.desk import Judged
from handlers.lineage.compliance.evaluate import evaluate, rules_named
from handlers.lineage.compliance.verdicts import Rule
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Time
from handlers.lineage.queries.asking import Scope
from handlers.lineage.settings import Settings


class Rules:
    """Judges by the settings of the function."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        """Answer, by the names given, what the rules are called; BadQuery for a name that is none, or for none."""
        if not names:
            rules_named(())
        return {name: rules_named((name,))[0].value for name in sorted(set(names))}

    def judge(
        self, graph: Graph, keys: Collection[Key], scope: Scope, now: Time, rules: Collection[str] | None
    ) -> Mapping[Key, Sequence[Judged]]:
        """Judge by these rules, or by all that are applied."""
        asked = None if rules is None else [Rule(each) for each in rules]
        found = evaluate(graph, keys, self._settings, scope, now, asked)
        return {
            key: [Judged(each.rule.value, each.result.value, each.says) for each in verdicts]
            for key, verdicts in found.items()
        }
