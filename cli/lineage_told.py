"""How an answer about lineage is printed: whole as JSON, or for people, who are told first and last what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from rich.text import Text
from rich.tree import Tree

from cli.lineage_asked import Asked, Besides
from cli.render.console import results
from cli.render.lineage import Line, Words, as_json, framed, time_text
from handlers.lineage.queries.reasons import Reason

Lines = Iterable[Line]


class Answer(Protocol):
    """What all answers of the queries have."""

    @property
    def reasons(self) -> tuple[Reason, ...]: ...


A = TypeVar("A", bound=Answer)


def tell(asked: Asked, besides: Besides, answer: A, lines_of: Callable[[A, Words], Lines]) -> int:
    """Print an answer that may be incomplete; answer the exit code."""
    words = words_for(asked, besides)
    if asked.settings.is_json:
        tell_json(answer)
    else:
        tell_lines(framed(_dated(asked, lines_of(answer, words)), answer.reasons, words))
    return asked.exit_code(complete=not answer.reasons)


def tell_whole(asked: Asked, besides: Besides, answer: A, lines_of: Callable[[A, Words], Lines]) -> int:
    """As `tell`, and say also of a complete answer that it is one."""
    code = tell(asked, besides, answer, lines_of)
    if not (answer.reasons or asked.settings.is_json):
        tell_lines([Text("complete: nothing is known to be missing", "green")])
    return code


def words_for(asked: Asked, besides: Besides) -> Words:
    return Words(besides.names, asked.settings.verbose)


def _dated(asked: Asked, lines: Lines) -> Lines:
    if asked.time is not None:
        yield Text(f"as of {time_text(asked.time)}", "bold")
    yield from lines


def tell_json(answer: object) -> None:
    # Not through rich, which takes long over much.
    print(as_json(answer))  # noqa: T201


def tell_lines(lines: Lines) -> None:
    console = results()
    for line in lines:
        console.print(line, soft_wrap=not isinstance(line, Tree))  # else a tree is cut off where the terminal ends


def tell_all(asked: Asked, besides: Besides, answer: Sequence[object], lines_of: Callable[[Words], Lines]) -> None:
    """Print an answer that is a list of all there is."""
    if asked.settings.is_json:
        tell_json(list(answer))
    else:
        tell_lines(lines_of(words_for(asked, besides)))
