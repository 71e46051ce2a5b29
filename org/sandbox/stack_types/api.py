"""The types of a REST API and of what stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from org.sandbox.stack_types.api_gateway import Account, Deployment, GatewayResponse, RestApi
from org.sandbox.stack_types.api_stage import Stage
from org.sandbox.stack_types.api_usage import ApiKey, UsagePlan, UsagePlanKey
from org.sandbox.stack_types.waf import LoggingConfiguration, WebACL, WebACLAssociation

if TYPE_CHECKING:
    from org.sandbox.stack_types.interface import ResourceType

API_TYPES: tuple[ResourceType, ...] = (
    Account(),
    ApiKey(),
    Deployment(),
    GatewayResponse(),
    LoggingConfiguration(),
    RestApi(),
    Stage(),
    UsagePlan(),
    UsagePlanKey(),
    WebACL(),
    WebACLAssociation(),
)
