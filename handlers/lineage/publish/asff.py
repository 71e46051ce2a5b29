"""A finding in the AWS Security Finding Format; pure.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from handlers.lineage.findings import Finding
from handlers.lineage.model import Key, Kind, Time, parts_of
from org.ids import AccountId, Region

RULE, ABOUT, ACCOUNT, REGION = "orgctl/rule", "orgctl/about", "orgctl/account", "orgctl/region"
"""Keys of ProductFields, by which a finding is known again. (`aws/` is kept for AWS.)"""
GENERATOR = "orgctl/"
"""How the GeneratorId of every finding of ours begins; the rule follows."""
RESULT, NOT_EVALUATED = "result", "not-evaluated"
"""The detail by which a finding tells that a rule could not be judged."""

_CHECKS = "Software and Configuration Checks/AWS Security Best Practices"
TYPES: Mapping[str, str] = {
    "contradiction": "TTPs/Defense Evasion",
    "vulnerability": "Software and Configuration Checks/Vulnerabilities/CVE",
}
"""By the rule's family. https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types"""

_OF_NOBODY = {Kind.IMAGE: "image", Kind.SNAPSHOT: "snapshot"}
_OF_ACCOUNT = {Kind.INSTANCE: ("instance", "AwsEc2Instance"), Kind.VOLUME: ("volume", "AwsEc2Volume")}


class Product(NamedTuple):
    """As whom the lineage account tells Security Hub: its own default product."""

    account: AccountId
    """The lineage account: Security Hub takes findings under a default product from that account alone."""
    region: Region
    partition: str = "aws"

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:securityhub:{self.region}:{self.account}:product/{self.account}/default"


def asff_of(finding: Finding, product: Product, now: Time, created: str | None = None) -> dict[str, Any]:
    """Answer what BatchImportFindings takes. `created`: since when it is known, if it is not new.

    What Security Hub would refuse for its length is cut; an id that is too long ends in the hash of itself.
    """
    time = timestamp(now)
    type_ = TYPES.get(finding.rule.partition("/")[0], _CHECKS)
    fields = {RULE: finding.rule, ABOUT: finding.about, ACCOUNT: finding.account, REGION: finding.region}
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding_id(finding),
        "ProductArn": product.arn,
        "GeneratorId": _cut(f"{GENERATOR}{finding.rule}", 512),
        "AwsAccountId": product.account,
        "CreatedAt": created or time,
        "UpdatedAt": time,
        "Title": _cut(finding.title, 256),
        "Description": _cut(finding.says, 1024),
        "Remediation": {"Recommendation": {"Text": _cut(finding.todo, 512)}},
        "FindingProviderFields": {"Severity": {"Label": finding.severity.value}, "Types": [type_]},
        "ProductFields": {name: _cut(value, 2048) for name, value in fields.items()},
        "Resources": [_resource(finding)],
        "Compliance": {"Status": "WARNING" if finding.details.get(RESULT) == NOT_EVALUATED else "FAILED"},
        "RecordState": "ACTIVE",
    }


def resolved(stored: Mapping[str, Any], now: Time) -> dict[str, Any]:
    """Answer what ends a finding, given as Security Hub keeps it: archived, and passed."""
    kept = {name: stored[name] for name in _KEPT if name in stored}
    fields = {name: value for name, value in stored["ProductFields"].items() if name.startswith(GENERATOR)}
    return {
        **kept,
        "ProductFields": fields,
        "UpdatedAt": timestamp(now),
        "Compliance": {"Status": "PASSED"},
        "RecordState": "ARCHIVED",
    }


_KEPT = (
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "CreatedAt",
    "Title",
    "Description",
    "Remediation",
    "FindingProviderFields",
    "Resources",
)


def finding_id(finding: Finding) -> str:
    """Answer the finding's id within Security Hub's 512 characters."""
    if len(finding.id) <= 512:
        return finding.id
    return f"{finding.id[:447]}/{hashlib.sha256(finding.id.encode()).hexdigest()}"


def timestamp(time: Time) -> str:
    """Write a time as Security Hub reads it: `2026-11-26T05:30:00.000Z`."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def arn_of(key: Key, account: str) -> str | None:
    """Answer the ARN of an image or snapshot (in which no account stands), an instance or a volume; None of others.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    partition, region, kind, name = parts_of(key)
    if kind in _OF_NOBODY:
        return f"arn:{partition}:ec2:{region}::{_OF_NOBODY[kind]}/{name}"
    if kind in _OF_ACCOUNT:
        return f"arn:{partition}:ec2:{region}:{account}:{_OF_ACCOUNT[kind][0]}/{name}"
    return None


def _resource(finding: Finding) -> dict[str, Any]:
    partition, region, kind, name = parts_of(finding.about)
    said = {**finding.details, "account": finding.account, "region": finding.region, "key": finding.about}
    other = {_cut(name, 64): _cut(said[name], 1024) for name in sorted(said)[:50] if said[name]}
    if kind in (Kind.COVERAGE, Kind.ACCOUNT):
        resource: dict[str, Any] = {"Type": "AwsAccount", "Id": f"AWS::::Account:{name}"}
    else:
        type_ = _OF_ACCOUNT[kind][1] if kind in _OF_ACCOUNT else "Other"
        resource = {"Type": type_, "Id": _cut(arn_of(finding.about, finding.account) or finding.about, 512)}
    resource |= {"Partition": partition, "Details": {"Other": other}}
    return resource if region == "-" else resource | {"Region": region}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
