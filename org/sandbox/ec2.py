"""EC2 without public images, with images across accounts, and with calls about public access that moto lacks."""

from __future__ import annotations

from moto import settings
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import ActionResult
from moto.ec2 import urls
from moto.ec2.exceptions import InvalidParameterValueError

from org.sandbox import ec2_backend
from org.sandbox.ec2_declarative import declared_state, refuse_declared
from org.sandbox.ec2_image_uses import ImageUseResponses

BLOCKING_STATES = ("block-all-sharing", "block-new-sharing")
IMAGE_BLOCKED = "block-new-sharing"
UNBLOCKED = "unblocked"


class PublicSharing(BaseBackend):
    """The settings of an account and Region, for which moto's own backend has no place."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.state = UNBLOCKED
        """Of snapshots."""
        self.images = IMAGE_BLOCKED
        """AWS blocks it in new accounts.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
        """


snapshot_sharing = BackendDict(PublicSharing, "ec2")


class SandboxEC2Response(ImageUseResponses):
    """Answers each account's own settings, or what declarative policies say in their stead.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageBlockPublicAccessState.html
    """

    def publishing_is_blocked(self) -> bool:
        declared = declared_state(self.current_account, self.partition, "image_block_public_access")
        return (declared or self._sharing.images) == IMAGE_BLOCKED

    def get_snapshot_block_public_access_state(self) -> ActionResult:
        self.error_on_dryrun()
        declared = declared_state(self.current_account, self.partition, "snapshot_block_public_access")
        managed = "declarative-policy" if declared else "account"
        return ActionResult({"State": declared or self._sharing.state, "ManagedBy": managed})

    def enable_snapshot_block_public_access(self) -> ActionResult:
        self.error_on_dryrun()
        refuse_declared(self.current_account, self.partition, "EnableSnapshotBlockPublicAccess")
        state = self._get_param("State")
        if state not in BLOCKING_STATES:
            raise InvalidParameterValueError(state)
        self._sharing.state = state
        return ActionResult({"State": state})

    def disable_snapshot_block_public_access(self) -> ActionResult:
        self.error_on_dryrun()
        refuse_declared(self.current_account, self.partition, "DisableSnapshotBlockPublicAccess")
        self._sharing.state = UNBLOCKED
        return ActionResult({"State": UNBLOCKED})

    def get_image_block_public_access_state(self) -> ActionResult:
        self.error_on_dryrun()
        declared = declared_state(self.current_account, self.partition, "image_block_public_access")
        managed = "declarative-policy" if declared else "account"
        return ActionResult({"ImageBlockPublicAccessState": declared or self._sharing.images, "ManagedBy": managed})

    def enable_image_block_public_access(self) -> ActionResult:
        self.error_on_dryrun()
        refuse_declared(self.current_account, self.partition, "EnableImageBlockPublicAccess")
        state = self._get_param("ImageBlockPublicAccessState")
        if state != IMAGE_BLOCKED:
            raise InvalidParameterValueError(state)
        self._sharing.images = state
        return ActionResult({"ImageBlockPublicAccessState": state})

    def disable_image_block_public_access(self) -> ActionResult:
        self.error_on_dryrun()
        refuse_declared(self.current_account, self.partition, "DisableImageBlockPublicAccess")
        self._sharing.images = UNBLOCKED
        return ActionResult({"ImageBlockPublicAccessState": UNBLOCKED})

    def delete_tags(self) -> ActionResult:
        if not self._get_param("Tags"):
            raise NotImplementedError("without the keys of the tags, which deletes all")
        return super().delete_tags()

    @property
    def _sharing(self) -> PublicSharing:
        return snapshot_sharing[self.current_account][self.region]


def install() -> None:
    """Keep moto from making 1,300 images for each account and Region, and put our parts in its place."""
    settings.ec2_load_default_amis = lambda: False
    ec2_backend.install()
    urls.url_paths = {"{0}/": SandboxEC2Response.dispatch}
