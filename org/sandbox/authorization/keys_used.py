"""The key of a queue or a bucket, which whoever sends, takes, writes or reads must be allowed to use besides.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html

Topics and secrets see to theirs where they are served (`org.sandbox.topics`, `org.sandbox.secrets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from org.sandbox.authorization.model import ApiCall, Check
from org.sandbox.authorization.principals import Caller, serving
from org.sandbox.encryption import TO_READ, TO_WRITE, Lock

_TO_PUT = ("kms:GenerateDataKey",)
_USES: Mapping[str, tuple[str, ...]] = {
    "sqs:sendmessage": TO_WRITE,
    "sqs:receivemessage": TO_READ,
    "s3:putobject": _TO_PUT,
    "s3:getobject": TO_READ,
    "s3:getobjectversion": TO_READ,
}
"""By the permission that the call needs for the resource itself. [H]: uploads in parts, which AWS asks kms:Decrypt for
as well, are asked for no more than others."""


def require_keys(caller: Caller, call: ApiCall, checks: Iterable[Check]) -> None:
    """Raise Denied unless the caller may use the keys of what the checks are about; NoKey for one that is not there.

    [H]: the words and the code of the denial: each service has its own.
    """
    for check in checks:
        actions = _USES.get(check.action.lower())
        lock = _lock_of(call, check.resource) if actions is not None else None
        if actions is not None and lock is not None:
            with serving(caller):
                lock.require(caller.principal, actions)


def _lock_of(call: ApiCall, arn: str) -> Lock | None:
    _, partition, service, region, account, name = arn.split(":", 5)
    if service == "s3":
        return _lock_of_bucket(call, partition, name)
    queue = sqs_backends[account][region].queues.get(name) if account in sqs_backends else None
    key = getattr(queue, "kms_master_key_id", None)
    return Lock(key, account, region, "sqs", {"aws:sqs:arn": arn}) if key else None


def _lock_of_bucket(call: ApiCall, partition: str, name: str) -> Lock | None:
    """Answer the key of the bucket; of an object that was written under another one nothing is known here."""
    bucket_name = name.partition("/")[0]
    _, owner = s3_backends.bucket_accounts.get(bucket_name, ("", ""))
    bucket = s3_backends[owner][partition].buckets.get(bucket_name) if owner else None
    rules = ((bucket.encryption if bucket is not None else None) or {}).get("Rule") or {}
    rule = rules[0] if isinstance(rules, list) else rules
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    key = call.parameters.get("SSEKMSKeyId") or default.get("KMSMasterKeyID")
    if bucket is None or not key:
        return None
    with_key = str(rule.get("BucketKeyEnabled", "")).lower() == "true"
    context = {"aws:s3:arn": f"arn:{partition}:s3:::{bucket_name if with_key else name}"}
    return Lock(key, owner, str(bucket.region_name), "s3", context)
