"""The parameters that a template declares, and which values CloudFormation would refuse for them; pure.

Checked here because a StackSet tells of such a value only once it deploys, account by account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.variables import as_text
from org.references import with_sample_ids
from org.source.findings import suggest


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    type: str = "String"
    has_default: bool = False
    allowed_values: tuple[str, ...] = ()
    """Empty for any."""
    pattern: str = ""
    pattern_means: str = ""
    """ConstraintDescription: the template's own words for the pattern."""
    length: tuple[float, float] = (0, float("inf"))
    size: tuple[float, float] = (float("-inf"), float("inf"))
    """Bounds of a number."""

    @classmethod
    def of(cls, declared: object) -> DeclaredParameter:
        """Read one entry of Parameters; what is not as CloudFormation wants it is left to cfn-lint."""
        if not isinstance(declared, Mapping):
            return cls()
        allowed = declared.get("AllowedValues")
        return cls(
            type=_text(declared.get("Type")) or "String",
            has_default="Default" in declared,
            allowed_values=tuple(map(_text, allowed)) if isinstance(allowed, tuple | list) else (),
            pattern=_text(declared.get("AllowedPattern")),
            pattern_means=_text(declared.get("ConstraintDescription")),
            length=(_number(declared.get("MinLength"), 0), _number(declared.get("MaxLength"), float("inf"))),
            size=(_number(declared.get("MinValue"), float("-inf")), _number(declared.get("MaxValue"), float("inf"))),
        )

    @property
    def is_list(self) -> bool:
        return self.type == "CommaDelimitedList" or "List<" in self.type

    def find_fault(self, value: str) -> tuple[str, str] | None:
        """Answer what is wrong with a value and what to write; ids that do not exist yet count as well-formed."""
        items = [item.strip() for item in value.split(",")] if self.is_list else [value]
        return next((fault for item in items if (fault := self._find_item_fault(item)) is not None), None)

    def _find_item_fault(self, value: str) -> tuple[str, str] | None:
        filled = with_sample_ids(value)
        if self.allowed_values and filled == value and value not in self.allowed_values:
            listed = "its values are " + ", ".join(self.allowed_values)
            return f"cannot be {value!r}", suggest(value, self.allowed_values, otherwise=listed)
        if self.type in ("Number", "List<Number>"):
            return self._find_number_fault(filled)
        least, most = self.length
        if not least <= len(filled) <= most:
            bounds = f"{least:g} or more" if most == float("inf") else f"{least:g} to {most:g}"
            return f"has {len(filled)} characters", f"use {bounds}"
        if _matches(self.pattern, filled) is False:
            return f"cannot be {value!r}", self.pattern_means or f"write what matches {self.pattern}"
        return None

    def _find_number_fault(self, value: str) -> tuple[str, str] | None:
        number = _number(value, None)
        if number is None:
            return f"cannot be {value!r}", "write a number"
        least, most = self.size
        if number < least:
            return f"is {value}", f"it must be at least {least:g}"
        return (f"is {value}", f"it must be at most {most:g}") if number > most else None


def _text(value: object) -> str:
    return as_text(value) if isinstance(value, str | int | float | bool) else ""


def _number(value: object, otherwise: Any) -> Any:  # noqa: ANN401 - a number or what stands for none
    try:
        return float(_text(value))
    except ValueError:
        return otherwise


def _matches(pattern: str, value: str) -> bool | None:
    """Say whether the whole value matches; None where there is no pattern or Python does not read it as Java does."""
    if not pattern or _MAY_DIFFER.search(pattern):
        return None
    try:
        return re.fullmatch(pattern, value, re.ASCII) is not None
    except re.error:
        return None


_MAY_DIFFER = re.compile(r"\[[^\]]*\[|&&|--|~~|\|\|")
"""CloudFormation's patterns are Java's, whose sets of characters may hold sets and operators; Python's may not yet."""
