"""A guardrail's statement as a typed value, and the policy document that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deny:
    """One Deny of a service control policy; exactly one of `actions` and `not_actions` is given.

    The exemption stands inside the statement, as a negated condition on the principal: an Allow elsewhere could never
    undo a Deny. All conditions must hold, so the exempt principals are free whatever the other conditions say.
    """

    sid: str
    """The sentence that the statement says, in PascalCase."""
    exempt: tuple[str, ...] = ()
    """ARN patterns of principals to which the statement does not apply."""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if bool(self.actions) == bool(self.not_actions):
            raise ValueError(f"{self.sid}: give either actions or not_actions")
        if "ArnNotLike" in self.conditions:
            raise ValueError(f"{self.sid}: ArnNotLike is kept for the exempt principals")


def render_document(statements: Sequence[Deny]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [_render(statement) for statement in statements]}


def _render(statement: Deny) -> dict[str, object]:
    chosen = {"Action": statement.actions} if statement.actions else {"NotAction": statement.not_actions}
    conditions: dict[str, object] = {
        operator: {key: _one_or_list(value) for key, value in keys.items()}
        for operator, keys in statement.conditions.items()
    }
    if statement.exempt:
        conditions["ArnNotLike"] = {"aws:PrincipalArn": _one_or_list(statement.exempt)}
    return {
        "Sid": statement.sid,
        "Effect": "Deny",
        **{key: _one_or_list(value) for key, value in chosen.items()},
        "Resource": _one_or_list(statement.resources),
        **({"Condition": conditions} if conditions else {}),
    }


def _one_or_list(value: str | Sequence[str]) -> str | list[str]:
    """Write a list of one as its only value, and each value once, sorted: the manifest's order means nothing."""
    if isinstance(value, str):
        return value
    once = sorted(set(value))
    return once[0] if len(once) == 1 else once
