"""Puts together what one event says: keys checked by the form of their ids, facts that share the event's evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import region_of
from handlers.lineage.events.outcome import EventError
from handlers.lineage.model import (
    NO_REGION,
    Confidence,
    Evidence,
    Fact,
    Key,
    Kind,
    Relation,
    attributes_of,
    key_of,
    noted,
)
from handlers.lineage.relations import EVERY, HOLDS, RULES, Role
from org.ids import AccountId, Region

_FORMS = {
    Kind.IMAGE: "ami",
    Kind.SNAPSHOT: "snap",
    Kind.VOLUME: "vol",
    Kind.INSTANCE: "i",
    Kind.FLEET: "fleet|sfr|sir",
    Kind.TEMPLATE_VERSION: "lt",
}
_IDS = {kind: re.compile(rf"(?:{prefix})-[0-9a-zA-Z-]{{1,64}}", re.ASCII) for kind, prefix in _FORMS.items()}
_ACCOUNT = re.compile(r"[0-9]{1,12}", re.ASCII)
_GROUP = re.compile(r"[a-z][a-z-]{1,63}", re.ASCII)
"""`all` is the only one that is documented."""
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[a-z0-9-]*:\S{1,2048}", re.ASCII)
_PARAMETER = re.compile(r"[a-zA-Z0-9_.\-/]{1,2048}", re.ASCII)
_SELECTOR = re.compile(r"[a-zA-Z0-9_.\-]{1,100}", re.ASCII)
_TEMPLATE_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{1,128}", re.ASCII)
_TEMPLATE_VERSION = re.compile(r"[0-9]{1,18}|\$Default|\$Latest", re.ASCII)

AWS = "aws"
"""In place of the account in the name of a public parameter of AWS."""


class Teller:
    """What an event says, bit by bit."""

    def __init__(self, evidence: Evidence, partition: str) -> None:
        self.evidence = evidence
        self.partition = partition
        self.account: AccountId = evidence.account
        self.region: Region = evidence.region
        self.facts: list[Fact] = []
        self.gaps: list[str] = []
        self._inferred: Evidence | None = None

    # Things

    def key(self, kind: Kind, name: str, region: Region | None = None) -> Key:
        return key_of(kind, name, region or self.region, self.partition)

    def thing(self, kind: Kind, id: str, region: Region | None = None) -> Key:
        """Answer the key of what has an id of its own; EventError if the id does not look like one of that kind."""
        if not _IDS[kind].fullmatch(id):
            raise EventError(kind.value, f"{id[:80]!r} is no id of one")
        return key_of(kind, id, region or self.region, self.partition)

    def named(self, kind: Kind, name: str) -> Key:
        """Answer the key of what has a name in its account and Region."""
        return self.key(kind, f"{self.account}/{name}")

    def everywhere(self, kind: Kind, name: str) -> Key:
        """Answer the key of what belongs to no Region."""
        return key_of(kind, name, NO_REGION, self.partition)

    def object(self, bucket: str, path: str) -> Key:
        return self.everywhere(Kind.OBJECT, f"{bucket}/{path}")

    def sharee(self, account: str) -> Key:
        """Answer the key of an account; newer calls may write it as a number, without its leading zeros [H]."""
        if _ACCOUNT.fullmatch(account):
            account = account.zfill(12)
        elif not (_GROUP.fullmatch(account) or _ARN.fullmatch(account)):
            raise EventError("account", f"{account[:80]!r} is no account, group, organization or unit")
        return self.everywhere(Kind.ACCOUNT, account)

    def place(self) -> Key:
        return self.key(Kind.COVERAGE, self.account)

    def by_arn(self, kind: Kind, arn: str) -> Key:
        if not _ARN.fullmatch(arn):
            raise EventError(kind.value, f"{arn[:80]!r} is no ARN")
        # Without Region: it stands in the name.
        return self.everywhere(kind, arn)

    def template(self, node: Node) -> Key | None:
        """Answer the version, or what points at it, that a launch template specification names; None if it names none.

        A template that is named by its name becomes `<account>/<name>:<version>`: `template_calls` says of these
        what they stand for. Without a version it is the default one.
        """
        id, name = node.text("launchtemplateid", "id"), node.text("launchtemplatename", "name")
        if id is None and name is None:
            return None
        version = node.text("version") or "$Default"
        return self.template_version(id, version) if id else self.template_by_name(str(name), version)

    def template_version(self, id: str, version: str) -> Key:
        if not _IDS[Kind.TEMPLATE_VERSION].fullmatch(id) or not _TEMPLATE_VERSION.fullmatch(version):
            raise EventError("launch template", f"{id[:80]}:{version[:80]} names none")
        return self.key(Kind.TEMPLATE_VERSION, f"{id}:{version}")

    def template_by_name(self, name: str, version: str) -> Key:
        if not _TEMPLATE_NAME.fullmatch(name) or not _TEMPLATE_VERSION.fullmatch(version):
            raise EventError("launch template", f"{name[:80]}:{version[:80]} names none")
        return self.named(Kind.TEMPLATE_VERSION, f"{name}:{version}")

    def parameter(self, text: str) -> Key:
        """Answer the parameter, version or label that `name`, `name:3`, `name:label` or the same with an ARN names.

        `/golden` and `golden` have the same ARN, so they are taken for the same parameter [H].
        https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
        """
        account, region, name = str(self.account), self.region, text
        if text.startswith("arn:"):
            parts = text.split(":", 5)
            if len(parts) != 6 or not parts[5].startswith("parameter/"):
                raise EventError("parameter", f"{text[:80]!r} is no parameter")
            region, account, name = region_of(parts[3], "parameter"), parts[4], parts[5].removeprefix("parameter/")
        name, _, selector = name.partition(":")
        bare = name.strip("/")
        name = f"/{bare}" if "/" in bare else bare
        if not _PARAMETER.fullmatch(name) or (selector and not _SELECTOR.fullmatch(selector)):
            raise EventError("parameter", f"{text[:80]!r} is no parameter")
        if bare.startswith("aws/service/"):
            account = AWS
        elif not (_ACCOUNT.fullmatch(account) and len(account) == 12):
            raise EventError("parameter", f"{text[:80]!r} has no account")
        return self.key(Kind.PARAMETER, f"{account}/{name}" + (f":{selector}" if selector else ""), region)

    def reference(self, text: str, where: str) -> Key | None:
        """Answer what stands for an image: its id or ARN, a parameter, a build; else None, and it is a gap.

        No error: a launch template takes any text for an image, and that text must not hide all else of its event.
        """
        try:
            found = self._reference(text, where)
        except EventError:
            found = None
        if found is None:
            self.gaps.append(f"{where} names an image in a way that is not known: {text[:80]}")
        return found

    def _reference(self, text: str, where: str) -> Key | None:
        if _IDS[Kind.IMAGE].fullmatch(text):
            return self.key(Kind.IMAGE, text)
        for prefix in ("resolve:ssm:", "ssm:"):
            if text.startswith(prefix):
                return self.parameter(text.removeprefix(prefix))
        if not _ARN.fullmatch(text):
            return None
        _, _, service, region, _, named = text.split(":", 5)
        if service == "ec2" and named.startswith("image/"):
            return self.thing(Kind.IMAGE, named.removeprefix("image/"), region_of(region, where))
        if service == "ssm":
            return self.parameter(text)
        return self.by_arn(Kind.RECIPE, text) if service == "imagebuilder" else None

    # Facts

    def relate(
        self,
        relation: Relation,
        child: Key,
        parent: Key,
        *,
        inferred: bool = False,
        holds: bool | None = None,
        device: str | None = None,
        root: bool | None = None,
    ) -> None:
        """Say that a child came from a parent or holds to it; what is None is left out.

        inferred: reasoned from what AWS says; root: whether the device is the root. EventError for a thing that is said
        to come of itself: no call makes such a thing.
        """
        if child == parent and RULES[relation].role is Role.DERIVATION:
            raise EventError(relation.value, f"{child[:80]!r} is said to come of itself")
        said: dict[str, str | None] = {}
        if holds is not None or device is not None or root is not None:
            said = _given({HOLDS: yes(holds), "device": device, "root": yes(root)})
        evidence = self._less_sure() if inferred else self.evidence
        self.facts.append(Fact(relation, child, parent, evidence, attributes_of(said)))

    def share(self, child: Key, sharee: str, *, holds: bool) -> None:
        self.relate(Relation.SHARED_WITH, child, self.sharee(sharee), holds=holds)

    def share_with_nobody(self, child: Key) -> None:
        self.relate(Relation.SHARED_WITH, child, self.everywhere(Kind.ACCOUNT, EVERY), holds=False)

    def note(self, key: Key, tags: Mapping[str, str] | None = None, /, **said: str | None) -> None:
        """Say something of a thing; what is None is left out, and with nothing left the thing is known all the same."""
        given: dict[str, str | None] = _given(said)
        if tags:
            given.update((f"tag:{name}", value) for name, value in tags.items())
        self.facts.append(noted(key, self.evidence, given))

    def take_away(self, key: Key, names: Iterable[str], *, inferred: bool = False) -> None:
        """Say that attributes are no longer there."""
        evidence = self._less_sure() if inferred else self.evidence
        self.facts.append(noted(key, evidence, dict.fromkeys(names)))

    def _less_sure(self) -> Evidence:
        if self._inferred is None:
            self._inferred = replace(self.evidence, confidence=Confidence.INFERRED)
        return self._inferred


def _given(said: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: value for name, value in said.items() if value is not None}


def yes(value: bool | None) -> str | None:
    """Answer a flag as attributes write it."""
    return None if value is None else "yes" if value else "no"


def tags_in(rows: Iterable[Node]) -> dict[str, str]:
    """Answer tags from rows of `key` and `value`."""
    return {row.need("key"): row.words("value") for row in rows}


def tags_for(resource: str, request: Node) -> dict[str, str]:
    """Answer the tags that a call puts on one type of the resources that it makes."""
    tags: dict[str, str] = {}
    for row in request.rows("tagspecificationset", "tagspecification", "tagspecifications"):
        if row.text("resourcetype") == resource:
            tags.update(tags_in(row.rows("tags", "tag", "tagset")))
    return tags
