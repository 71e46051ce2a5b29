"""EC2 without public images, and with the calls about the sharing of snapshots that moto lacks."""

from __future__ import annotations

from moto import settings
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValueError
from moto.ec2.responses import EC2Response

BLOCKING_STATES = ("block-all-sharing", "block-new-sharing")
UNBLOCKED = "unblocked"


class SnapshotSharing(BaseBackend):
    """The one setting of an account and Region, for which moto's own backend has no place."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.state = UNBLOCKED


snapshot_sharing = BackendDict(SnapshotSharing, "ec2")


def install() -> None:
    """Keep moto from making 1,300 images for each account and Region, and teach it the calls.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html
    """
    settings.ec2_load_default_amis = lambda: False
    for call in (
        get_snapshot_block_public_access_state,
        enable_snapshot_block_public_access,
        disable_snapshot_block_public_access,
    ):
        setattr(EC2Response, call.__name__, call)


def get_snapshot_block_public_access_state(self: EC2Response) -> ActionResult:
    """Answer the account's own setting: what declarative policies say is not seen."""
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
    _sharing(self).state = UNBLOCKED
    return ActionResult({"State": UNBLOCKED})


def _sharing(response: EC2Response) -> SnapshotSharing:
    return snapshot_sharing[response.current_account][response.region]
