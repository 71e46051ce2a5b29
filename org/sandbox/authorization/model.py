"""A call to the sandbox, and what AWS checks about it before it is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from org.policy.request import ContextValue


@dataclass(frozen=True, slots=True)
class ApiCall:
    service: str
    """As botocore calls it: `ec2`, `s3`."""
    operation: str
    """`RunInstances`."""
    parameters: Mapping[str, Any]
    """Under the names and in the shapes of botocore: `{"ImageId": "ami-…", "TagSpecifications": […]}`."""
    region: str
    account: str
    """Of the caller."""
    access_key: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One action on one resource; a call is allowed if each of its checks is."""

    action: str
    """`ec2:RunInstances`."""
    resource: str
    """An ARN, with `*` for what does not exist yet."""
    resource_account: str = ""
    """Empty where it is the caller's own."""
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    """The keys that the service sets, in lower case, over those that follow from the principal and the Region.

    Any other key of the service, and any other tag, is absent from the request, unless it stands in `unknown`.
    """
    unknown: frozenset[str] = frozenset()
    """Keys that AWS would set and that the sandbox does not compute, in lower case."""
