"""What AWS Organizations asks of tags; pure.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from org.sandbox.refusals import constraint, invalid

_KEY_LENGTH = 128
_VALUE_LENGTH = 256


def check_tags(tags: Sequence[Mapping[str, str]], present: Mapping[str, str], most: int) -> dict[str, str]:
    """Answer what the resource's tags become, or refuse as TagResource and the Create… operations do."""
    keys = [tag["Key"] for tag in tags]
    check_tag_keys(keys)
    if len(set(keys)) < len(keys):
        raise invalid("DUPLICATE_TAG_KEY", "Tag keys must be unique among the tags attached to the same entity.")
    for tag in tags:
        if len(tag["Value"]) > _VALUE_LENGTH:
            message = f"The value of the tag {tag['Key']!r} is longer than {_VALUE_LENGTH} characters."
            raise invalid("MAX_LENGTH_EXCEEDED", message)
        _check_characters(tag["Value"])
    result = {**present, **{tag["Key"]: tag["Value"] for tag in tags}}
    if len(result) > most:
        raise constraint("MAX_TAG_LIMIT_EXCEEDED", f"You have exceeded the number of tags allowed: {most}.")
    return result


def check_tag_keys(keys: Iterable[str]) -> None:
    for key in keys:
        if not key:
            raise invalid("MIN_LENGTH_EXCEEDED", "A tag key must not be empty.")
        if len(key) > _KEY_LENGTH:
            raise invalid("MAX_LENGTH_EXCEEDED", f"The tag key {key!r} is longer than {_KEY_LENGTH} characters.")
        if key.lower().startswith("aws:"):
            message = "You specified a tag key that is a system tag. System tags are reserved for AWS use."
            raise invalid("INVALID_SYSTEM_TAGS_PARAMETER", message)
        _check_characters(key)


def _check_characters(text: str) -> None:
    # botocore's pattern of both: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$
    if not all(unicodedata.category(each)[0] in "LZN" or each in "_.:/=+-@" for each in text):
        raise invalid("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
