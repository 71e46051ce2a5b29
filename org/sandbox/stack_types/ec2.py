"""AWS::EC2::SnapshotBlockPublicAccess, and the EC2 calls that read and write what it sets: moto has neither."""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValueError
from moto.ec2.responses import EC2Response

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted

BLOCKING_STATES = ("block-all-sharing", "block-new-sharing")
_UNBLOCKED = "unblocked"


class SnapshotSharing(BaseBackend):
    """The one setting of an account and Region.

    Apart from moto's EC2 backend, which costs a third of a second for each account and Region, spent on its images.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.state = _UNBLOCKED


snapshot_sharing = BackendDict(SnapshotSharing, "ec2")


class SnapshotBlockPublicAccess:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-snapshotblockpublicaccess.html."""

    shape = Shape(
        "AWS::EC2::SnapshotBlockPublicAccess",
        properties=frozenset({"State"}),
        attributes=frozenset({"AccountId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(wanted.account_id)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        state = wanted.properties.get("State")
        if state not in BLOCKING_STATES:
            raise ResourceRefused(f"Properties validation failed: State must be one of {', '.join(BLOCKING_STATES)}")
        snapshot_sharing[wanted.account_id][wanted.region].state = state
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # there is one per account and Region
        snapshot_sharing[wanted.account_id][wanted.region].state = _UNBLOCKED

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # only AccountId
        return created.physical_id


def install_snapshot_calls() -> None:
    """Teach moto's EC2 the three calls about sharing snapshots; AWS Organizations' declarative policies are not seen.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html
    """
    for call in (
        get_snapshot_block_public_access_state,
        enable_snapshot_block_public_access,
        disable_snapshot_block_public_access,
    ):
        setattr(EC2Response, call.__name__, call)


def get_snapshot_block_public_access_state(self: EC2Response) -> ActionResult:
    self.error_on_dryrun()
    return ActionResult({"State": _sharing(self).state, "ManagedBy": "account"})


def enable_snapshot_block_public_access(self: EC2Response) -> ActionResult:
    self.error_on_dryrun()
    state = self._get_param("State")
    if state not in BLOCKING_STATES:
        raise InvalidParameterValueError(state)
    _sharing(self).state = state
    return ActionResult({"State": state})


def disable_snapshot_block_public_access(self: EC2Response) -> ActionResult:
    self.error_on_dryrun()
    _sharing(self).state = _UNBLOCKED
    return ActionResult({"State": _UNBLOCKED})


def _sharing(response: EC2Response) -> SnapshotSharing:
    return snapshot_sharing[response.current_account][response.region]
