"""Machine images of one account as others see, launch, copy and tag them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.support.sandbox import assume, create_account, create_unit, organization, refused, root_of


@dataclass(frozen=True)
class World:
    organizations: Any
    owner: Any
    """EC2 of the account that owns the images."""
    other: Any
    other_id: str
    session: boto3.Session

    def image(self, **more: Any) -> str:
        return str(self.owner.register_image(Name="golden", RootDeviceName="/dev/xvda", **more)["ImageId"])

    def share(self, image: str, **permission: str) -> None:
        self.owner.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [permission]})

    def sees(self, **query: Any) -> list[str]:
        return [image["ImageId"] for image in self.other.describe_images(**query)["Images"]]


@pytest.fixture
def world() -> Iterator[World]:
    with organization() as session:
        organizations = session.client("organizations")
        owner, other = create_account(organizations, "Images"), create_account(organizations, "Shop")
        yield World(
            organizations,
            assume(session, owner).client("ec2"),
            assume(session, other).client("ec2"),
            other,
            session,
        )


APPROVED = {"Key": "ec2:SharedTag/status", "Value": "approved"}
PRIVATE = {"Key": "team", "Value": "images"}


def test_an_image_is_its_owners_alone_until_it_is_shared(world: World) -> None:
    image = world.image()
    assert world.sees() == []
    with refused("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist"):
        world.other.describe_images(ImageIds=[image])
    with refused("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist"):
        world.other.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    world.share(image, UserId=world.other_id)
    assert world.sees() == world.sees(ImageIds=[image]) == [image]
    assert world.sees(Owners=["self"]) == []


def unit_of(world: World) -> str:
    """Answer the ARN of a unit, in a unit below which the other account is."""
    outer = create_unit(world.organizations, "Workloads")
    inner = create_unit(world.organizations, "Production", outer)
    world.organizations.move_account(
        AccountId=world.other_id, SourceParentId=root_of(world.organizations), DestinationParentId=inner
    )
    return str(
        world.organizations.describe_organizational_unit(OrganizationalUnitId=outer)["OrganizationalUnit"]["Arn"]
    )


def organization_of(world: World) -> str:
    return str(world.organizations.describe_organization()["Organization"]["Arn"])


@pytest.mark.parametrize(
    ("kind", "find"),
    [
        ("UserId", lambda world: world.other_id),
        ("OrganizationArn", organization_of),
        ("OrganizationalUnitArn", unit_of),
    ],
)
def test_a_launch_permission_lets_the_other_account_launch(
    world: World, kind: str, find: Callable[[World], str]
) -> None:
    image = world.image()
    world.share(image, **{kind: find(world)})
    assert world.sees(ExecutableUsers=["self"]) == [image]
    launched = world.other.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    assert [instance["ImageId"] for instance in launched] == [image]
    permissions = world.owner.describe_image_attribute(ImageId=image, Attribute="launchPermission")
    assert permissions["LaunchPermissions"] == [{kind: find(world)}] if kind != "OrganizationalUnitArn" else True
    world.owner.reset_image_attribute(ImageId=image, Attribute="launchPermission")
    assert world.sees() == []


def test_a_permission_of_a_unit_does_not_reach_an_account_elsewhere(world: World) -> None:
    image, unit = world.image(), create_unit(world.organizations, "Elsewhere")
    arn = world.organizations.describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]["Arn"]
    world.share(image, OrganizationalUnitArn=arn)
    assert world.sees() == []


def test_executable_users_are_those_with_an_explicit_permission(world: World) -> None:
    mine, public, shared = (world.image() for _ in range(3))
    world.share(shared, UserId=world.other_id)
    world.owner.disable_image_block_public_access()
    world.share(public, Group="all")
    assert world.sees(ExecutableUsers=["all"]) == [public]
    assert world.sees(ExecutableUsers=["self"]) == [shared]
    found = world.owner.describe_images(ExecutableUsers=[world.other_id])["Images"]
    assert [image["ImageId"] for image in found] == [shared]
    assert {image["ImageId"] for image in world.owner.describe_images()["Images"]} == {mine, public, shared}


def test_images_are_not_published_while_that_is_blocked_as_it_is_from_the_beginning(world: World) -> None:
    image = world.image()
    assert world.owner.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "block-new-sharing"
    message = "You can't publicly share this image because block public access for AMIs is enabled."
    with refused("OperationNotPermitted", message):
        world.share(image, Group="all")
    world.owner.disable_image_block_public_access()
    world.owner.modify_image_attribute(
        ImageId=image, Attribute="launchPermission", OperationType="add", UserGroups=["all"]
    )
    assert world.owner.describe_images(ImageIds=[image])["Images"][0]["Public"] is True
    world.owner.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    assert world.sees() == [image]


@pytest.mark.parametrize(
    "call",
    [
        lambda ec2, image: ec2.deregister_image(ImageId=image),
        lambda ec2, image: ec2.disable_image(ImageId=image),
        lambda ec2, image: ec2.modify_image_attribute(ImageId=image, Description={"Value": "mine"}),
        lambda ec2, image: ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission"),
    ],
)
def test_only_the_owner_changes_an_image(world: World, call: Callable[[Any, str], Any]) -> None:
    image = world.image()
    world.share(image, UserId=world.other_id)
    with refused("AuthFailure", f"Not authorized for image:{image}"):
        call(world.other, image)
    call(world.owner, image)


def test_shared_tags_are_seen_by_all_and_private_ones_by_whoever_wrote_them(world: World) -> None:
    image = world.image(TagSpecifications=[{"ResourceType": "image", "Tags": [APPROVED, PRIVATE]}])
    world.share(image, UserId=world.other_id)
    world.other.create_tags(Resources=[image], Tags=[{"Key": "note", "Value": "ours"}])
    (seen,), (own,) = (ec2.describe_images(ImageIds=[image])["Images"] for ec2 in (world.other, world.owner))
    assert sorted(tag["Key"] for tag in seen["Tags"]) == ["ec2:SharedTag/status", "note"]
    assert sorted(tag["Key"] for tag in own["Tags"]) == ["ec2:SharedTag/status", "team"]
    assert world.sees(Filters=[{"Name": "tag:ec2:SharedTag/status", "Values": ["approved"]}]) == [image]
    assert world.sees(Filters=[{"Name": "tag:team", "Values": ["images"]}]) == []


def test_only_the_owner_writes_shared_tags(world: World) -> None:
    image = world.image(TagSpecifications=[{"ResourceType": "image", "Tags": [APPROVED]}])
    world.share(image, UserId=world.other_id)
    for call in (world.other.create_tags, world.other.delete_tags):
        with refused("OperationNotPermitted", f"Only the owner of {image} can write its shared tags."):
            call(Resources=[image], Tags=[{**APPROVED, "Value": "rejected"}])
    world.owner.delete_tags(Resources=[image], Tags=[APPROVED])
    assert world.other.describe_images(ImageIds=[image])["Images"][0]["Tags"] == []


def test_a_copy_needs_the_snapshot_too_and_says_where_it_comes_from(world: World) -> None:
    image = world.image(TagSpecifications=[{"ResourceType": "image", "Tags": [APPROVED, PRIVATE]}])
    world.share(image, UserId=world.other_id)
    here = world.other.meta.region_name
    copy = {"SourceImageId": image, "SourceRegion": here, "Name": "ours", "CopyImageTags": True}
    with refused("InvalidRequest", "You do not have permission to access the storage of this ami"):
        world.other.copy_image(**copy)
    (device,) = world.owner.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    world.owner.modify_snapshot_attribute(
        SnapshotId=device["Ebs"]["SnapshotId"],
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[world.other_id],
    )
    own = world.other.copy_image(**copy)["ImageId"]
    (described,) = world.other.describe_images(ImageIds=[own])["Images"]
    assert (described["SourceImageId"], described["SourceImageRegion"]) == (image, here)
    assert (described["OwnerId"], described["Tags"]) == (world.other_id, [APPROVED])


def test_an_image_is_copied_between_regions(world: World) -> None:
    image = world.image()
    there = assume(world.session, world.other_id).client("ec2", region_name="eu-central-1")
    world.share(image, UserId=world.other_id)
    (device,) = world.owner.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    world.owner.modify_snapshot_attribute(
        SnapshotId=device["Ebs"]["SnapshotId"],
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[world.other_id],
    )
    copy = there.copy_image(SourceImageId=image, SourceRegion=world.owner.meta.region_name, Name="far")["ImageId"]
    (described,) = there.describe_images(Filters=[{"Name": "source-image-id", "Values": [image]}])["Images"]
    assert (described["ImageId"], described["SourceImageRegion"]) == (copy, world.owner.meta.region_name)


def test_an_image_made_of_an_instance_names_the_image_below_it(world: World) -> None:
    image = world.image()
    world.share(image, UserId=world.other_id)
    instance = world.other.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = world.other.create_image(InstanceId=instance, Name="derived")["ImageId"]
    (described,) = world.other.describe_images(ImageIds=[made])["Images"]
    assert (described["SourceInstanceId"], described["SourceImageId"]) == (instance, image)


def test_a_disabled_image_is_nobodys_to_launch(world: World) -> None:
    image = world.image()
    world.share(image, UserId=world.other_id)
    world.owner.disable_image(ImageId=image)
    assert world.sees() == []
    with refused("InvalidAMIID.Unavailable", f"The image id '[{image}]' is no longer available"):
        world.owner.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    assert world.owner.describe_images(Owners=["self"])["Images"] == []
    (described,) = world.owner.describe_images(Owners=["self"], IncludeDisabled=True)["Images"]
    assert described["State"] == "disabled"
    world.owner.enable_image(ImageId=image)
    world.owner.run_instances(ImageId=image, MinCount=1, MaxCount=1)


def test_a_launch_finds_its_image_in_a_template_and_in_a_parameter(world: World) -> None:
    image = world.image()
    world.share(image, UserId=world.other_id)
    parameters = assume(world.session, world.other_id).client("ssm")
    parameters.put_parameter(Name="/golden/image", Value=image, Type="String")
    template = world.other.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    by_template = world.other.run_instances(LaunchTemplate={"LaunchTemplateId": template}, MinCount=1, MaxCount=1)
    by_name = world.other.run_instances(ImageId="resolve:ssm:/golden/image", MinCount=1, MaxCount=1)
    assert [each["Instances"][0]["ImageId"] for each in (by_template, by_name)] == [image, image]
    with refused("MissingParameter", "The request must contain the parameter ImageId"):
        world.other.run_instances(MinCount=1, MaxCount=1)


@pytest.mark.parametrize(
    "permission",
    [{"UserId": "12"}, {"Group": "some"}, {"OrganizationArn": "o-1"}, {"OrganizationalUnitArn": "ou-1"}],
)
def test_a_permission_for_nobody_is_refused(world: World, permission: dict[str, str]) -> None:
    ((kind, value),) = permission.items()
    item = kind[0].lower() + kind[1:]
    with refused("InvalidAMIAttributeItemValue", f'Invalid attribute item value "{value}" for {item} item type.'):
        world.share(world.image(), **permission)


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (
            lambda ec2: ec2.copy_image(SourceImageId="ami-1", SourceRegion="eu-west-1", Name="mine", Encrypted=True),
            "Encrypted",
        ),
        (lambda ec2: ec2.register_image(Name="mine", TpmSupport="v2.0"), "TpmSupport"),
        (lambda ec2: ec2.modify_image_attribute(ImageId="ami-1", ImdsSupport={"Value": "v2.0"}), "ImdsSupport"),
    ],
)
def test_what_is_not_honoured_is_refused(world: World, call: Callable[[Any], Any], parameter: str) -> None:
    with pytest.raises(Exception, match=f"the parameter {parameter}"):
        call(world.other)


def test_a_device_of_the_image_keeps_its_size(world: World) -> None:
    device = {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}
    world.owner.run_instances(ImageId=world.image(), MinCount=1, MaxCount=1, BlockDeviceMappings=[device])
    (volume,) = world.owner.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["Encrypted"]) == (15, True)


def test_a_template_with_devices_launches(world: World) -> None:
    data = {"ImageId": world.image(), "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}]}
    world.owner.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    world.owner.run_instances(LaunchTemplate={"LaunchTemplateName": "web"}, MinCount=1, MaxCount=1)
    (volume,) = world.owner.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["Encrypted"]) == (15, True)
