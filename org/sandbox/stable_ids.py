"""Ids that follow from the seed and from what they are for, so that parallel calls get the same ones in any order."""

from __future__ import annotations

import hashlib
import json
import string
from itertools import count

from org.sandbox.settings import current_settings

_LETTERS_AND_DIGITS = string.ascii_lowercase + string.digits


class StableIds:
    """Hands out ids on behalf of one management account; none twice, also where what had it is gone."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._given = {owner}

    def make_account_id(self, email: str) -> str:
        return self._make("", string.digits, 12, "account", email.casefold())

    def make_organization_id(self) -> str:
        return self._make("o-", _LETTERS_AND_DIGITS, 10)

    def make_root_id(self) -> str:
        return self._make("r-", _LETTERS_AND_DIGITS, 4)

    def make_unit_id(self, root_id: str, parent_id: str, name: str) -> str:
        return self._make(f"ou-{root_id.removeprefix('r-')}-", _LETTERS_AND_DIGITS, 8, parent_id, name)

    def make_policy_id(self, policy_type: str, name: str) -> str:
        return self._make("p-", _LETTERS_AND_DIGITS, 8, policy_type, name)

    def make_creation_id(self, email: str, name: str) -> str:
        return self._make("car-", _LETTERS_AND_DIGITS, 8, email, name)

    def _make(self, prefix: str, alphabet: str, length: int, *purpose: str) -> str:
        for attempt in count():
            words = [current_settings().seed, self._owner, attempt, prefix, *purpose]
            number = int.from_bytes(hashlib.sha256(json.dumps(words).encode()).digest())
            characters = []
            for _ in range(length):
                number, index = divmod(number, len(alphabet))
                characters.append(alphabet[index])
            id = prefix + "".join(characters)
            if id not in self._given:
                self._given.add(id)
                return id
        raise AssertionError("count() has no end")
