"""What an account sees of the machine images of all accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, MalformedAMIIdError, UnvailableAMIIdError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.utils import generic_filter

from org.sandbox.images import AVAILABLE, EVERYBODY, Permission, SandboxImage
from org.sandbox.organizations import find_organization_of

if TYPE_CHECKING:
    from org.sandbox.ec2_image_uses import UsageReport


class VisibleImages(EC2Backend):
    """EC2 of one account and Region, as far as it reads images."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.past_images: dict[str, SandboxImage] = {}
        """Those that are deregistered: EC2 still knows what they were."""
        self.usage_reports: dict[str, UsageReport] = {}

    @property
    def reached_by(self) -> list[Permission]:
        """The permissions through which somebody else's image comes to this account.

        One for a unit holds for the units below it, too.
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html
        """
        permissions: list[Permission] = [EVERYBODY, {"UserId": self.account_id}]
        organization = find_organization_of(self.account_id, self.partition)
        if organization is not None:
            permissions.append({"OrganizationArn": organization.organization.arn})
            units = organization.chain_of(organization.get_account_by_id(self.account_id).parent_id)[1:]
            arns = [organization.get_organizational_unit_by_id(unit).arn for unit in units]
            permissions += [{"OrganizationalUnitArn": arn} for arn in arns]
        return permissions

    def find_image(self, image_id: str) -> SandboxImage | None:
        """Answer the image as this account sees it; None where it does not."""
        for backend in self.everybody():
            image = backend.amis.get(image_id)
            if isinstance(image, SandboxImage):
                return image.seen_by(self) if image.reaches(self, self.reached_by) else None
        return None

    def get_image(self, image_id: str) -> SandboxImage:
        if not image_id.startswith("ami-"):
            raise MalformedAMIIdError([image_id])
        image = self.find_image(image_id)
        if image is None:
            raise InvalidAMIIdError(image_id)
        return image

    def get_own_image(self, image_id: str) -> SandboxImage:
        """Answer an image to change; only its owner may.  [H]: the code for one that is shared with the caller."""
        if image_id in self.deleted_amis:
            raise UnvailableAMIIdError(image_id)
        image = self.get_image(image_id)
        if image.owner is not self:
            raise EC2ClientError("AuthFailure", f"Not authorized for image:{image_id}")
        return image

    def get_launchable_image(self, image_id: str) -> SandboxImage:
        image = self.get_image(image_id)
        if image.state != AVAILABLE:
            raise UnvailableAMIIdError(image_id)
        return image

    def everybody(self) -> Iterator[Self]:
        """Answer EC2 in this Region of all accounts that have used it, this one first."""
        yield self
        for regions in list(ec2_backends.values()):
            # Looking a Region up in moto makes it.
            backend = dict.get(regions, self.region_name)
            if isinstance(backend, type(self)) and backend is not self:
                yield backend

    def describe_images(
        self,
        ami_ids: list[str] | None = None,
        filters: dict[str, Any] | None = None,
        exec_users: list[str] | None = None,
        owners: list[str] | None = None,
    ) -> list[Ami]:
        """Answer what the account sees.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
        """
        images: Iterable[SandboxImage]
        if ami_ids:
            images = [self.get_image(id) for id in ami_ids if id not in self.deleted_amis]
        elif filters and set(filters) == {"image-id"}:
            # moto asks so for each instance that it makes.
            wanted = filters["image-id"]
            ids = [wanted] if isinstance(wanted, str) else wanted
            images = [image for id in ids if id and (image := self.find_image(id))]
        else:
            reached = self.reached_by
            images = [
                image.seen_by(self)
                for backend in self.everybody()
                for image in backend.amis.values()
                if isinstance(image, SandboxImage) and image.reaches(self, reached)
            ]
        if exec_users:
            images = [image for image in images if any(self._is_executable_by(image, user) for user in exec_users)]
        if owners:
            accounts = {self.account_id if owner == "self" else owner for owner in owners}
            images = [image for image in images if image.owner_id in accounts or image.owner_alias in accounts]
        return generic_filter(filters or {}, list(images))

    def _is_executable_by(self, image: SandboxImage, user: str) -> bool:
        """Say so by explicit permission, which for oneself includes one's organization and units."""
        if user == "all":
            return EVERYBODY in image.launch_permissions
        if user in {"self", self.account_id}:
            return any(each in image.launch_permissions for each in self.reached_by if each != EVERYBODY)
        return {"UserId": user} in image.launch_permissions


def recall_image(image_id: str, region: str) -> SandboxImage | None:
    """Answer any account's image, registered or not, as its owner has it: for what EC2 itself keeps of images."""
    for regions in list(ec2_backends.values()):
        backend = dict.get(regions, region)
        if isinstance(backend, VisibleImages):
            image = backend.amis.get(image_id) or backend.past_images.get(image_id)
            if isinstance(image, SandboxImage):
                return image
    return None
