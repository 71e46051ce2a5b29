"""By which rules images are judged: a part of the manifest that the functions of the lineage account read, too.

It stands apart from the manifest because it goes into their bundle.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.strict import Strict, refuse
from config.tags import TagKey, TagValue

Severity = Literal["critical", "high", "medium", "low", "info"]
"""Of a finding."""


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        refuse(f"{text!r} is not a regular expression: {error}", "write one of Python's")
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_check_pattern)]
Days = Annotated[int, Field(ge=1, le=3650)]


class RuleSettings(Strict):
    """A rule by which images are judged."""

    enabled: bool = True
    """Whether the rule is applied."""
    severity: Severity = "medium"
    """Severity of the finding where the rule is broken, or cannot be judged."""


class RequiredTags(RuleSettings):
    """The image carries these tags, and each says something."""

    tags: Annotated[tuple[TagKey, ...], Field(min_length=1)] = (
        "Creator",
        "Source",
        "ApprovalStatus",
        "SecurityScan",
        "Environment",
    )
    """Keys of the tags; the case counts."""
    placeholders: tuple[TagValue, ...] = ("none", "n/a", "pending", "tbd", "todo", "unknown", "-")
    """Values that say nothing, in any case; blank ones never do."""


class Approval(RuleSettings):
    """The image carries the tag that lets it be launched."""

    severity: Severity = "high"
    """Severity of the finding where the rule is broken, or cannot be judged."""
    tag: TagKey | None = None
    """Key of the tag; that of the guardrail approved-images if not given, and never another than that."""
    value: TagValue | None = None
    """Its value on an approved image; that of the guardrail if not given, and never another than that."""


class SecurityScan(RuleSettings):
    """The image passed a scan: its tag says so, and AWS's own scan if a severity is given."""

    severity: Severity = "high"
    """Severity of the finding where the rule is broken, or cannot be judged."""
    tag: TagKey | None = "SecurityScan"
    """Key of the tag that tells the result; null if no tag counts."""
    value: TagValue = "PASSED"
    """Its value on an image that passed."""
    worst: Severity | None = None
    """The worst severity that AWS's scan of the image may have found; null if that scan does not count."""


class Naming(RuleSettings):
    """The image's name is one that people can read."""

    severity: Severity = "low"
    """Severity of the finding where the rule is broken, or cannot be judged."""
    min_length: Annotated[int, Field(ge=1, le=128)] = 6
    """Least number of characters."""
    contains_environment: bool = True
    """Whether the name must hold the value of the image's tag Environment, in any case."""
    environment_tag: TagKey = "Environment"
    """Key of the tag that tells the environment."""
    has_digit: bool = True
    """Whether the name must hold a digit."""
    pattern: Pattern | None = None
    """Regular expression that the whole name must match."""


class Lineage(RuleSettings):
    """It is known how the image was made, and its descent is known up to trusted roots."""

    severity: Severity = "high"
    """Severity of the finding where the rule is broken, or cannot be judged."""
    at_least: Literal["unverified", "verified"] = "unverified"
    """unverified: unbroken up to trusted roots; verified: also the same content all the way."""


class InstanceImage(RuleSettings):
    """Whatever an instance truly boots follows all other rules that are applied."""

    severity: Severity = "high"
    """Severity of the finding where the rule is broken, or cannot be judged."""


class TrustedRoot(RuleSettings):
    """The image descends from images of trusted owners alone."""

    severity: Severity = "high"
    """Severity of the finding where the rule is broken, or cannot be judged."""


class Unbroken(RuleSettings):
    """Nothing is missing on the way up, whoever owns the roots; lineage asks for more."""

    enabled: bool = False
    """Whether the rule is applied."""


class MaximumAge(RuleSettings):
    """The image is not too old."""

    enabled: bool = False
    """Whether the rule is applied."""
    days: Days = 180
    """Days after which an image must be replaced."""


class Encryption(RuleSettings):
    """Every snapshot of the image is encrypted."""

    enabled: bool = False
    """Whether the rule is applied."""


class ScanFreshness(RuleSettings):
    """AWS's scan of the image is not too old."""

    enabled: bool = False
    """Whether the rule is applied."""
    days: Days = 30
    """Days after which an image must be scanned again."""


class ComplianceSettings(Strict):
    """The rules by which images are judged; what cannot be judged is not compliant."""

    required_tags: RequiredTags = RequiredTags()
    """Tags that each image must carry."""
    approval: Approval = Approval()
    """The tag that lets an image be launched."""
    security_scan: SecurityScan = SecurityScan()
    """Results of scans."""
    naming: Naming = Naming()
    """Names of images."""
    lineage: Lineage = Lineage()
    """Descent that is known."""
    trusted_root: TrustedRoot = TrustedRoot()
    """Descent from trusted owners."""
    instance_image: InstanceImage = InstanceImage()
    """Instances, by the image that they boot."""
    unbroken: Unbroken = Unbroken()
    """Descent without gaps."""
    maximum_age: MaximumAge = MaximumAge()
    """Age of images."""
    encryption: Encryption = Encryption()
    """Encryption of the image's snapshots."""
    scan_freshness: ScanFreshness = ScanFreshness()
    """Age of scans."""
