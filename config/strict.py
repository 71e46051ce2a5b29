"""What every part of the manifest has in common."""

from __future__ import annotations

from typing import NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

REFUSED = "orgctl_refused"
"""The error type by which `config.wording` knows that message and advice are already in our words."""


class Strict(BaseModel):
    """A frozen value: nothing is converted, no key is ignored, and docstrings of fields are their descriptions."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def refuse(what: str, todo: str) -> NoReturn:
    raise PydanticCustomError(REFUSED, "{what}; {todo}", {"what": what, "todo": todo})
