"""The keys with which queues, topics and secrets are encrypted, and who may use them."""

from __future__ import annotations

from collections.abc import Iterable

from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

from org.model import RequiredCall
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.principals import current_caller

TO_WRITE = ("kms:GenerateDataKey", "kms:Decrypt")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"""


class NoKey(Exception):
    """There is no key of that id or alias."""


def is_managed_by_aws(key: object) -> bool:
    return str(key).rpartition(":")[2].startswith("alias/aws/")


def find_key(key: str, account: str, region: str) -> str:
    """Answer the ARN of a key that is given by its id, its alias or the ARN of either; raises NoKey."""
    prefix = f"arn:{get_partition(region)}:kms:{region}:{account}:"
    arn = key if key.startswith("arn:") else prefix + (key if key.startswith("alias/") else f"key/{key}")
    parts = arn.split(":")
    owner, place, name = parts[4], parts[3], parts[5]
    if not name.startswith("alias/"):
        return arn
    keys = kms_backends[owner][place].keys.values() if owner in kms_backends else ()
    found = next((each for each in keys if name in each.aliases), None)
    if found is None:
        raise NoKey(f"there is no key {key}")
    return str(found.arn)


def require_key_of_caller(key: object, account: str, region: str, service: str, actions: Iterable[str]) -> None:
    """Raise Denied unless who is served may use the key through the service, which does it with their session.

    `service` is as it stands in its endpoint: `sns`. A key that AWS manages is open to whoever may use the service.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    Raises NoKey.
    """
    caller = current_caller()
    if caller is None or not key or is_managed_by_aws(key):
        return
    arn = find_key(str(key), account, region)
    context = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
    for action in actions:
        authorize_as(caller.principal, RequiredCall(action, arn, context), region, via=f"{service}.amazonaws.com")
