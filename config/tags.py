"""Keys and values of tags, apart from the other texts of a manifest: the functions read rules about tags, too."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from config.strict import refuse

_TAG_CHARACTERS = "letters, digits, spaces and _.:/=+-@"


def _is_tag_text(text: str) -> bool:
    return all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN" for character in text)


def _check_tag_key(text: str) -> str:
    if not 1 <= len(text) <= 128:
        refuse(f"a tag key has {len(text)} characters", "use 1 to 128")
    if text.lower().startswith("aws:"):
        refuse(f"the tag key {text!r} begins with 'aws:', which AWS keeps for itself", "name the tag otherwise")
    if text.lower().startswith("orgctl:"):
        refuse(f"the tag key {text!r} begins with 'orgctl:', which orgctl keeps for itself", "name the tag otherwise")
    if not _is_tag_text(text):
        refuse(f"the tag key {text!r} holds a character that AWS does not accept", f"use {_TAG_CHARACTERS}")
    return text


def _check_tag_value(text: str) -> str:
    if len(text) > 256:
        refuse(f"a tag value has {len(text)} characters", "use at most 256")
    if not _is_tag_text(text):
        refuse(f"the tag value {text!r} holds a character that AWS does not accept", f"use {_TAG_CHARACTERS}")
    return text


TagKey = Annotated[
    str, AfterValidator(_check_tag_key), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128})
]
TagValue = Annotated[str, AfterValidator(_check_tag_value), WithJsonSchema({"type": "string", "maxLength": 256})]
