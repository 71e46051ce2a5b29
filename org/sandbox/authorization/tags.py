"""The tags of resources that exist, where moto keeps them at hand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from moto.iam.models import Role, User, iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

Tags = Mapping[str, str]


def find_tags(arn: str) -> Tags | None:
    """Answer the tags; none for what does not exist, and None where it is not known what it has."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[4].isdigit():
        return None
    find = _KNOWN.get(parts[2])
    return find(arn, parts[4], parts[3] or parts[1], parts[5]) if find is not None else None


def _identity(arn: str, account: str, partition: str, _name: str) -> Tags | None:
    iam = iam_backends[account][partition]
    if ":role/" not in arn and ":user/" not in arn:
        return None
    identities: Iterable[Role | User] = (*iam.roles.values(), *iam.users.values())
    found = next((each for each in identities if each.arn == arn), None)
    return _of_list(found.tags or []) if found is not None else {}


def _key(_arn: str, account: str, region: str, name: str) -> Tags:
    backend = kms_backends[account][region]
    id = name.removeprefix("key/")
    return _of_list(backend.tagger.list_tags_for_resource(id)["Tags"]) if id in backend.keys else {}


def _queue(_arn: str, account: str, region: str, name: str) -> Tags:
    queue = sqs_backends[account][region].queues.get(name)
    return dict(queue.tags or {}) if queue is not None else {}


def _secret(arn: str, account: str, region: str, _name: str) -> Tags:
    secret = secretsmanager_backends[account][region].secrets.get(arn)
    return _of_list(getattr(secret, "tags", None) or [])


def _topic(arn: str, account: str, region: str, _name: str) -> Tags:
    topic = sns_backends[account][region].topics.get(arn)
    return dict(topic._tags) if topic is not None else {}


def _of_list(tags: Iterable[Mapping[str, str]]) -> Tags:
    lowered = [{name.lower(): text for name, text in tag.items()} for tag in tags]
    return {tag.get("key", tag.get("tagkey", "")): tag.get("value", tag.get("tagvalue", "")) for tag in lowered}


_KNOWN: Mapping[str, Callable[[str, str, str, str], Tags | None]] = {
    "iam": _identity,
    "kms": _key,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
