"""Patterns with `*` (anything, also nothing) and `?` (one character): do they match, meet, or cover one another?

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
A `*` reaches over colons and slashes. AWS says so of a `*` at the end of a segment; for one within, it is [H].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

FALSE, TRUE, UNKNOWN = 0, 1, 2
"""The three values, small whole numbers so that they are cheap to compare."""

STAR, QUESTION = "\ue000", "\ue001"
"""In a pattern: the characters `*` and `?` themselves, as `${*}` and `${?}` mean them."""

Matcher = Callable[[str], bool]
ARN_PARTS = 6
MOST_STATES = 20_000


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Say whether a pattern matches a text in which `*` and `?` are plain characters."""
    if ignore_case:
        pattern, text = pattern.lower(), text.lower()
    return matcher_of((pattern,))(text)


def overlaps(one: str, other: str, *, ignore_case: bool = False) -> bool:
    """Say whether there is a text that both patterns match."""
    if ignore_case:
        one, other = one.lower(), other.lower()
    return _meet(one, other)


def _meet(one: str, other: str, *, without: str = "") -> bool:
    """Say whether two patterns meet where a `*` of the second stands for none of the given characters."""
    machine = _machine(one)
    states = machine.start
    for sign in _machine(other).signs:
        if sign == "*":
            states = machine.reach(states, without)
        elif sign == "?":
            states = machine.any_step(states)
        else:
            states = machine.step(states, sign)
        if not states:
            return False
    return bool(states & machine.accepts)


def covers(general: str, special: str, *, ignore_case: bool = False) -> bool:
    """Say whether the first pattern matches whatever the second does; False also where that is too long to find out."""
    if ignore_case:
        general, special = general.lower(), special.lower()
    if general in {"*", special}:
        return True
    machine, signs = _machine(general), _machine(special).signs
    letters = [*machine.literals, ""]
    seen: set[tuple[int, int]] = set()
    waiting = [(0, machine.start)]
    while waiting:
        at, states = waiting.pop()
        if states & machine.settled or (at, states) in seen:
            continue
        seen.add((at, states))
        if not states or len(seen) > MOST_STATES:
            return False
        if at == len(signs):
            if not states & machine.accepts:
                return False
        elif signs[at] == "*":
            waiting.append((at + 1, states))
            waiting += ((at, machine.step(states, letter)) for letter in letters)
        elif signs[at] == "?":
            waiting += ((at + 1, machine.step(states, letter)) for letter in letters)
        else:
            waiting.append((at + 1, machine.step(states, signs[at])))
    return True


@lru_cache(maxsize=16_384)
def relation(patterns: tuple[str, ...], text: str) -> int:
    """Say whether one of the patterns matches a text in which `*` and `?` stand for what is not known."""
    if any(covers(pattern, text) for pattern in patterns):
        return TRUE
    return UNKNOWN if any(_may_match(pattern, text) for pattern in patterns) else FALSE


def _may_match(pattern: str, text: str) -> bool:
    """Say whether a pattern meets a text with unknown parts, and if they are ARNs, meets it as an ARN.

    Else `arn:aws:ec2:*:*:image/*` would meet `arn:aws:ec2:eu-central-1:111122223333:instance/*`, for the sake of an
    instance named `x:image/y`. What is not known of an ARN may hold a colon only where its last part has one.
    """
    wanted, parts = pattern.split(":", 5), text.split(":", 5)
    if len(parts) < ARN_PARTS:
        return _meet(pattern, text)
    if len(wanted) == ARN_PARTS and all(map(_meet, wanted, parts)):
        return True
    return _meet(pattern, text, without="" if ":" in parts[5] else ":")


def is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def literal(pattern: str) -> str:
    """Read a pattern without wildcards as the text that it matches."""
    return pattern.replace(STAR, "*").replace(QUESTION, "?")


def escaped(text: str) -> str:
    """Write a text as the pattern that matches nothing else."""
    return text.replace("*", STAR).replace("?", QUESTION)


@lru_cache(maxsize=16_384)
def matcher_of(patterns: tuple[str, ...]) -> Matcher:
    """Compile patterns into one test: does any of them match?"""
    if "*" in patterns:
        return _always
    exact = frozenset(literal(pattern) for pattern in patterns if not is_pattern(pattern))
    prefixes = tuple(literal(pattern[:-1]) for pattern in patterns if _is_prefix(pattern))
    rest = [pattern for pattern in patterns if is_pattern(pattern) and not _is_prefix(pattern)]
    regex = re.compile("|".join(map(_regex, rest)), re.DOTALL).fullmatch if rest else None
    return _combined(exact, prefixes, regex)


def _combined(
    exact: frozenset[str], prefixes: tuple[str, ...], regex: Callable[[str], re.Match[str] | None] | None
) -> Matcher:
    if regex is None and not prefixes:
        return exact.__contains__
    if regex is None and not exact:
        return lambda text: text.startswith(prefixes)
    if regex is None:
        return lambda text: text in exact or text.startswith(prefixes)
    if not prefixes and not exact:
        return lambda text: regex(text) is not None
    return lambda text: text in exact or text.startswith(prefixes) or regex(text) is not None


def _always(_text: str) -> bool:
    return True


def _is_prefix(pattern: str) -> bool:
    return pattern.endswith("*") and not is_pattern(pattern[:-1])


def _regex(pattern: str) -> str:
    """Translate; each part between two `*` is sought once only (atomic groups), so that no text takes long."""
    first, *rest = re.sub(r"\*+", "*", pattern).split("*")
    if not rest:
        return _part(first)
    *middle, last = rest
    return _part(first) + "".join(f"(?>.*?{_part(part)})" for part in middle) + ".*" + _part(last)


def _part(text: str) -> str:
    return "".join("." if char == "?" else re.escape(literal(char)) for char in text)


class _Machine:
    """A pattern as an automaton whose sets of states are whole numbers, one bit for each place in the pattern."""

    def __init__(self, pattern: str) -> None:
        self.signs = re.sub(r"\*+", "*", pattern)
        size = len(self.signs)
        self.stars = sum(1 << at for at, sign in enumerate(self.signs) if sign == "*")
        self.anything = sum(1 << at for at, sign in enumerate(self.signs) if sign == "?")
        self.literals: dict[str, int] = {}
        for at, sign in enumerate(self.signs):
            if sign not in "*?":
                self.literals[sign] = self.literals.get(sign, 0) | 1 << at
        self.accepts = 1 << size
        self.every = (1 << size + 1) - 1
        self.settled = 1 << size - 1 if self.signs.endswith("*") else 0
        self.start = self._closed(1)

    def step(self, states: int, letter: str) -> int:
        moved = (states & (self.literals.get(letter, 0) | self.anything)) << 1
        return self._closed(moved | states & self.stars)

    def any_step(self, states: int) -> int:
        return self._closed((states & ~self.stars & ~self.accepts) << 1 | states & self.stars)

    def reach(self, states: int, without: str) -> int:
        """Answer all places that any text leads to, if it holds none of the given characters."""
        barred = sum(self.literals.get(letter, 0) for letter in without)
        if not barred:
            return self.every & -(states & -states)
        while True:
            further = states | self._closed((states & ~self.accepts & ~barred) << 1)
            if further == states:
                return states
            states = further

    def _closed(self, states: int) -> int:
        return states | (states & self.stars) << 1


@lru_cache(maxsize=4_096)
def _machine(pattern: str) -> _Machine:
    return _Machine(pattern)


def both(values: Iterable[int]) -> int:
    """And of three values."""
    result = TRUE
    for value in values:
        if value == FALSE:
            return FALSE
        if value == UNKNOWN:
            result = UNKNOWN
    return result


def either(values: Iterable[int]) -> int:
    """Or of three values."""
    result = FALSE
    for value in values:
        if value == TRUE:
            return TRUE
        if value == UNKNOWN:
            result = UNKNOWN
    return result


def negation(value: int) -> int:
    return value if value == UNKNOWN else 1 - value
