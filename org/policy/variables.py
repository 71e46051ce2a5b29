"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from org.policy.patterns import QUESTION, STAR, escaped, is_pattern
from org.policy.request import ContextValue

VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_CHARACTERS = {"*": STAR, "?": QUESTION, "$": "$"}
VARIABLES_SINCE = "2012-10-17"
PRINCIPAL_ARN = "aws:principalarn"
"""The one key whose value may be known in part: there a `*` is no character."""


def is_known(key: str, context: Mapping[str, ContextValue]) -> bool:
    """Say whether a context has the key (in lower case), and all of its value."""
    if key not in context:
        return False
    value = context[key]
    return key != PRINCIPAL_ARN or not isinstance(value, str) or not is_pattern(value)


@dataclass(frozen=True, slots=True)
class Variable:
    key: str
    """In lower case."""
    written: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with variables in it; the pieces in their order."""

    pieces: tuple[str | Variable, ...]

    def variables(self) -> tuple[Variable, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Variable))

    def resolve(self, context: Mapping[str, ContextValue], is_absent: Callable[[str], bool]) -> tuple[str | None, bool]:
        """Answer the pattern with its variables filled in, and whether a value that it needs is not known.

        None without doubt: a variable has no value, then nothing matches; and so it is for a key with several values,
        which cannot be a variable. What is filled in is no pattern: its `*` is a character [H].
        """
        done: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                done.append(piece)
                continue
            if not is_known(piece.key, context) and (piece.key in context or not is_absent(piece.key)):
                return None, True
            value = context.get(piece.key)
            if isinstance(value, tuple):
                value = value[0] if len(value) == 1 else None
            if value is None:
                value = piece.default
            if value is None:
                return None, False
            done.append(escaped(value))
        return "".join(done), False


def template_of(text: str, version: str) -> str | Template:
    """Answer a plain pattern where there are no variables, or the policy's version knows none."""
    if version < VARIABLES_SINCE or "${" not in text:
        return text
    pieces: list[str | Variable] = []
    end = 0
    for found in VARIABLE.finditer(text):
        pieces.append(text[end : found.start()])
        name: str = found[1]
        pieces.append(_CHARACTERS.get(name) or Variable(name.lower(), name, found[2]))
        end = found.end()
    pieces.append(text[end:])
    if any(isinstance(piece, Variable) for piece in pieces):
        return Template(tuple(piece for piece in pieces if piece != ""))
    return "".join(piece for piece in pieces if isinstance(piece, str))
