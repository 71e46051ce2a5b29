"""The keys with which queues, topics and secrets are encrypted, and who may use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

from org.model import RequiredCall
from org.policy.request import ContextValue, Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as

TO_READ = ("kms:Decrypt",)
TO_WRITE = ("kms:GenerateDataKey", "kms:Decrypt")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"""


class NoKey(Exception):
    """There is no key of that id or alias, or none that the service could use."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The key on a resource, and what KMS is told of what it is used for."""

    key: object
    """Its id, its alias or the ARN of either; nothing where the resource has none."""
    account: str
    region: str
    service: str
    """As it stands in its endpoint: `sns`."""
    context: Mapping[str, str]
    """The encryption context, as far as it is known: `{"aws:sns:topicArn": …}`."""

    def require(self, principal: Principal, actions: Iterable[str], source: Mapping[str, str] | None = None) -> None:
        """Raise Denied unless the principal may use the key: a service itself, all others through the service.

        `source` holds `aws:SourceArn` and `aws:SourceAccount`, for a service. A key that AWS manages is open to whoever
        may use the resource, but for other services. Raises NoKey. [H]: that a service's own call is via none.
        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
        """
        is_service = principal.kind is PrincipalKind.SERVICE
        if not self.key:
            return
        if str(self.key).rpartition(":")[2].startswith("alias/aws/"):
            if is_service:
                raise NoKey(f"{principal.arn} cannot use the AWS managed key {self.key}")
            return
        arn = find_key(str(self.key), self.account, self.region)
        known: dict[str, ContextValue] = {
            f"kms:EncryptionContext:{name}": value for name, value in self.context.items()
        }
        known["kms:ViaService"] = None if is_service else f"{self.service}.{self.region}.amazonaws.com"
        via = "" if is_service else f"{self.service}.amazonaws.com"
        for action in actions:
            authorize_as(principal, RequiredCall(action, arn, {**(source or {}), **known}), self.region, via=via)


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
