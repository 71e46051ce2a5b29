"""How long a bucket keeps what is in it, and where it says who read it: as S3's API has it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from org.sandbox.own_calls import make_call
from org.sandbox.stack_types.interface import ResourceRefused, Wanted

_MARKER = "ExpiredObjectDeleteMarker"
_SAME = ("AbortIncompleteMultipartUpload", "Status")
_DAYS = {"StorageClass": "StorageClass", "TransitionInDays": "Days"}
_NONCURRENT = {"NewerNoncurrentVersions": "NewerNoncurrentVersions", "NoncurrentDays": "NoncurrentDays"}
_NONCURRENT_MOVE = {
    "NewerNoncurrentVersions": "NewerNoncurrentVersions",
    "StorageClass": "StorageClass",
    "TransitionInDays": "NoncurrentDays",
}


def write_lifecycle(wanted: Wanted, bucket: str) -> None:
    """Have the bucket keep its objects as long as its rules say, or for ever where there are none."""
    given = wanted.properties.get("LifecycleConfiguration")
    if given is None:
        _call(wanted, "DeleteBucketLifecycle", Bucket=bucket)
        return
    _only(given, "LifecycleConfiguration", "Rules")
    rules = [_rule(each, number) for number, each in enumerate(given["Rules"])]
    _call(wanted, "PutBucketLifecycleConfiguration", Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def write_logging(wanted: Wanted, bucket: str) -> None:
    """Have the bucket say who reads it, in another one; in the sandbox nothing is written there."""
    given = wanted.properties.get("LoggingConfiguration")
    status: dict[str, Any] = {}
    if given is not None:
        _only(given, "LoggingConfiguration", "DestinationBucketName", "LogFilePrefix")
        target = given.get("DestinationBucketName", bucket)
        status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": given.get("LogFilePrefix", "")}}
    _call(wanted, "PutBucketLogging", Bucket=bucket, BucketLoggingStatus=status)


def _rule(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    _only(
        given,
        "a lifecycle rule",
        *_SAME,
        "ExpirationInDays",
        _MARKER,
        "Id",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionTransitions",
        "Prefix",
        "Transitions",
    )
    rule = {name: given[name] for name in _SAME if name in given}
    rule |= {"ID": given.get("Id", f"rule-{number}"), "Filter": {"Prefix": given.get("Prefix", "")}}
    expiration = {"Days": given.get("ExpirationInDays"), _MARKER: given.get(_MARKER)}
    if any(each is not None for each in expiration.values()):
        rule["Expiration"] = expiration
    if "Transitions" in given:
        rule["Transitions"] = [_renamed(each, "a transition", _DAYS) for each in given["Transitions"]]
    if "NoncurrentVersionExpiration" in given:
        what = "NoncurrentVersionExpiration"
        rule[what] = _renamed(given[what], what, _NONCURRENT)
    if "NoncurrentVersionTransitions" in given:
        what = "NoncurrentVersionTransitions"
        rule[what] = [_renamed(each, what, _NONCURRENT_MOVE) for each in given[what]]
    return rule


def _renamed(given: Mapping[str, Any], what: str, names: Mapping[str, str]) -> dict[str, Any]:
    _only(given, what, *names)
    return {names[name]: value for name, value in given.items()}


def _only(given: Mapping[str, Any], what: str, *names: str) -> None:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ResourceRefused(f"the orgctl sandbox does not emulate {', '.join(unknown)} of {what}")


def _call(wanted: Wanted, operation: str, **parameters: Any) -> None:
    make_call(wanted.account_id, wanted.region, "s3", operation, parameters)
