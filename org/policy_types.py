"""The policy types of AWS Organizations, as the installed botocore knows them; makes no AWS call and no client."""

from __future__ import annotations

from functools import cache

from org.ids import PolicyType

SERVICE_CONTROL_POLICY = PolicyType("SERVICE_CONTROL_POLICY")
RESOURCE_CONTROL_POLICY = PolicyType("RESOURCE_CONTROL_POLICY")


@cache
def load_policy_types() -> tuple[PolicyType, ...]:
    """Read the types that `CreatePolicy` takes, in botocore's order.

    A type that is new at AWS comes with the next botocore, with no change here.
    """
    from botocore.loaders import Loader

    model = Loader().load_service_model("organizations", "service-2")
    return tuple(PolicyType(name) for name in model["shapes"]["PolicyType"]["enum"])
