"""Launch templates that would start an image: each once, however many versions, pointers and names lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handlers.lineage.api.answers import Answer
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, Relation, parts_of
from handlers.lineage.queries.fetch import facts_of
from handlers.lineage.queries.things import NAME, Thing


class Template(Answer):
    """A launch template that would start it."""

    launch_template_id: str | None
    """Null: only its name is known."""
    name: str | None
    account_id: str
    region: str
    versions: list[str]
    """The numbers of its versions that lead to the image, from the oldest on."""
    pointers: list[str]
    """`$Default`, `$Latest` or both, where they lead to it."""


def templates_of(graph: Graph, latent: Iterable[Thing]) -> list[Template]:
    """Answer the templates among what would start an image, by id where the id is known. GraphError.

    A name stands for an id: it is a template of its own only where none of the ids that it stood for is among them.
    """
    found: dict[tuple[str, str], list[Thing]] = {}
    for each in latent:
        if each.kind is Kind.TEMPLATE_VERSION:
            found.setdefault(_template(each.key), []).append(each)
    named = [each.key for (_, name), some in found.items() if "/" in name for each in some]
    names: dict[tuple[str, str], str] = {}
    for fact in facts_of(graph, named, {Relation.RESOLVES_TO}, None):
        if (by_id := _template(fact.parent)) in found:
            by_name = _template(fact.child)
            names[by_id] = by_name[1].partition("/")[2]
            found.pop(by_name, None)
    return [_answer(id, some, names.get((region, id))) for (region, id), some in sorted(found.items())]


def _template(key: Key) -> tuple[str, str]:
    """Answer Region, and id or `<account>/<name>`."""
    parts = parts_of(key)
    return parts.region, parts.name.rpartition(":")[0]


def _answer(id: str, some: Sequence[Thing], name: str | None) -> Template:
    account, _, own_name = id.rpartition("/")
    noted = next(filter(None, (each.state_of.value(NAME) for each in some)), None)
    versions = {parts_of(each.key).name.rpartition(":")[2] for each in some}
    numbers = {each for each in versions if each.isdecimal()}
    return Template(
        launch_template_id=None if account else id,
        name=own_name if account else name or noted,
        account_id=account or next((each.account for each in some if each.account), ""),
        region=some[0].region,
        versions=sorted(numbers, key=int),
        pointers=sorted(versions - numbers),
    )
