"""With whose permissions a stack makes, changes and deletes its resources.

CloudFormation acts as whoever asked for the stack, or as the stack's own role; for StackSets, as their role.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from moto.moto_api._internal import mock_random

from org.policy.request import Principal, PrincipalKind
from org.proof.calls import calls_of_resource
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.stack_types.interface import ResourceRefused, ResourceType, Wanted

Operation = Literal["create", "update", "delete"]

SERVICE = "cloudformation.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Actor:
    principal: Principal
    is_forwarded: bool = False
    """Whether CloudFormation acts with the session of whoever asked it to; a role of its own is no such session."""

    def require(self, operation: Operation, kind: ResourceType, wanted: Wanted) -> None:
        """Refuse unless the principal may make all calls that the operation takes.

        Raises ResourceRefused in the words in which CloudFormation hands on the refusal of a service.
        """
        calls = calls_of_resource(
            kind.shape.type_name,
            _known_properties(kind, wanted),
            account=wanted.account_id,
            region=wanted.region,
            partition=wanted.partition,
            operation=operation,
            tags=wanted.stack_tags,
        )
        if calls is None:
            raise ResourceRefused(f"the orgctl sandbox does not know what calls {kind.shape.type_name} takes")
        for call in calls:
            try:
                authorize_as(self.principal, call, wanted.region, via=SERVICE if self.is_forwarded else "")
            except Denied as denied:
                raise refusal(denied.message) from denied
            except NotImplementedError as error:
                raise ResourceRefused(f"the orgctl sandbox cannot judge {call.action}: {error}") from error


def require(actor: Actor | None, operation: Operation, kind: ResourceType, wanted: Wanted) -> None:
    """Refuse what the actor may not do; where there is none, nothing."""
    if actor is not None:
        actor.require(operation, kind, wanted)


def refusal(message: str) -> ResourceRefused:
    token = mock_random.uuid4()
    return ResourceRefused(
        f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: AccessDenied)'
    )


def stackset_actor(stack_set_id: str, account: str, partition: str) -> Actor:
    """Answer the role that service-managed StackSets have in each account.

    [H]: its name ends in the digits of the StackSet's id, and so does the name of its session.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
    """
    digits = stack_set_id.rpartition(":")[2].replace("-", "")
    name = f"stacksets-exec-{digits}"
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/{digits}"
    return Actor(Principal(f"arn:{partition}:iam::{account}:role/{name}", account, PrincipalKind.ROLE, session))


def _known_properties(kind: ResourceType, wanted: Wanted) -> dict[str, Any]:
    """Answer the properties with what they do not say: the name that was made up."""
    shape, properties = kind.shape, dict(wanted.properties)
    if shape.name_property:
        properties[shape.name_property] = wanted.name
    return properties
