"""What EC2 checks before it serves a call: actions, resources and condition keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from org.policy.request import ContextValue
from org.sandbox.authorization.ec2 import checks_of
from org.sandbox.authorization.model import ApiCall, Check
from tests.support.sandbox import assume, create_account, organization

REGION = "us-east-1"


@dataclass(frozen=True)
class Shop:
    """A member account, and an image that another one shares with it."""

    ec2: Any
    iam: Any
    account: str
    owner: Any
    owner_id: str
    image: str
    organization_id: str

    def checks(self, operation: str, **parameters: Any) -> tuple[Check, ...]:
        found = checks_of(ApiCall("ec2", operation, parameters, REGION, self.account))
        assert found is not None
        return found

    def arn(self, kind: str, id: str = "*") -> str:
        return f"arn:aws:ec2:{REGION}:{self.account}:{kind}/{id}"

    @property
    def image_arn(self) -> str:
        return f"arn:aws:ec2:{REGION}::image/{self.image}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with organization() as session:
        organizations = session.client("organizations")
        owner_id, account = create_account(organizations, "Images"), create_account(organizations, "Shop")
        owner, member = assume(session, owner_id).client("ec2"), assume(session, account)
        image = owner.register_image(
            Name="golden",
            RootDeviceName="/dev/xvda",
            TagSpecifications=[
                {
                    "ResourceType": "image",
                    "Tags": [{"Key": "ec2:SharedTag/status", "Value": "approved"}, {"Key": "team", "Value": "x"}],
                }
            ],
        )["ImageId"]
        owner.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": account}]})
        id = organizations.describe_organization()["Organization"]["Id"]
        yield Shop(member.client("ec2"), member.client("iam"), account, owner, owner_id, image, id)


def find(checks: tuple[Check, ...], resource: str, action: str = "") -> Check:
    (found,) = (each for each in checks if each.resource == resource and action in ("", each.action))
    return found


def values(check: Check, *keys: str) -> tuple[ContextValue, ...]:
    assert set(keys) <= set(check.context), sorted(check.context)
    return tuple(check.context[key] for key in keys)


def test_a_launch_checks_everything_that_it_takes_and_makes(shop: Shop) -> None:
    checks = shop.checks("RunInstances", ImageId=shop.image, InstanceType="t3.micro")
    assert {each.action for each in checks} == {"ec2:RunInstances"}
    kinds = [each.resource.rpartition(":")[2].partition("/")[0] for each in checks]
    assert kinds == ["image", "instance", "volume", "network-interface", "subnet", "security-group"]
    assert not [each.unknown for each in checks if each.unknown]
    assert all(each.context["ec2:region"] == REGION for each in checks)


def test_an_image_says_whose_it_is_and_the_tags_that_the_caller_sees(shop: Shop) -> None:
    check = find(shop.checks("RunInstances", ImageId=shop.image), shop.image_arn)
    assert values(check, "ec2:owner", "aws:resourceaccount") == (shop.owner_id, shop.owner_id)
    assert values(check, "ec2:imageid", "ec2:public", "ec2:imagetype", "ec2:rootdevicetype") == (
        shop.image,
        "false",
        "machine",
        "ebs",
    )
    assert values(check, "aws:resourceorgid", "ec2:launchtemplate") == (shop.organization_id, None)
    for family in ("aws:resourcetag", "ec2:resourcetag"):
        assert check.context[f"{family}/ec2:sharedtag/status"] == "approved"
        assert f"{family}/team" not in check.context
    assert check.resource_account == ""


def test_a_private_tag_on_somebody_elses_image_counts_for_its_writer(shop: Shop) -> None:
    shop.ec2.create_tags(Resources=[shop.image], Tags=[{"Key": "status", "Value": "approved"}])
    check = find(shop.checks("RunInstances", ImageId=shop.image), shop.image_arn)
    assert values(check, "aws:resourcetag/status", "ec2:owner") == ("approved", shop.owner_id)


def test_instances_say_what_the_request_says(shop: Shop) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Team", "Value": "shop"}]}]
    checks = shop.checks(
        "RunInstances",
        ImageId=shop.image,
        InstanceType="m7i.large",
        EbsOptimized=True,
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        Placement={"Tenancy": "dedicated", "AvailabilityZone": f"{REGION}b"},
        InstanceMarketOptions={"MarketType": "spot"},
        TagSpecifications=tags,
    )
    check = find(checks, shop.arn("instance"), "ec2:RunInstances")
    expected = {
        "ec2:instancetype": "m7i.large",
        "ec2:ebsoptimized": "true",
        "ec2:metadatahttptokens": "required",
        "ec2:metadatahttpputresponsehoplimit": "2",
        "ec2:metadatahttpendpoint": None,
        "ec2:tenancy": "dedicated",
        "ec2:availabilityzone": f"{REGION}b",
        "ec2:instancemarkettype": "spot",
        "ec2:instanceprofile": None,
        "ec2:instanceid": None,
        "aws:requesttag/team": "shop",
        "aws:tagkeys": ("Team",),
    }
    assert {key: check.context[key] for key in expected} == expected
    tagging = find(checks, shop.arn("instance"), "ec2:CreateTags")
    assert values(tagging, "ec2:createaction", "aws:requesttag/team") == ("RunInstances", "shop")
    assert find(checks, shop.arn("volume")).context["aws:tagkeys"] is None


def test_volumes_are_those_of_the_image_changed_by_the_request(shop: Shop) -> None:
    checks = shop.checks(
        "RunInstances",
        ImageId=shop.image,
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 500, "Iops": 4000}},
        ],
    )
    root, data = (each for each in checks if each.resource == shop.arn("volume"))
    keys = ("ec2:encrypted", "ec2:volumesize", "ec2:volumetype", "ec2:volumeiops")
    assert values(root, *keys) == ("true", "15", "gp3", None)
    assert values(data, *keys) == ("false", "500", "gp2", "4000")
    assert str(root.context["ec2:parentsnapshot"]).startswith(f"arn:aws:ec2:{REGION}::snapshot/snap-")
    assert data.context["ec2:parentsnapshot"] is None


def test_encryption_by_default_encrypts(shop: Shop) -> None:
    shop.ec2.enable_ebs_encryption_by_default()
    assert find(shop.checks("RunInstances", ImageId=shop.image), shop.arn("volume")).context["ec2:encrypted"] == "true"
    made = shop.checks("CreateVolume", Size=10, AvailabilityZone=f"{REGION}a")
    assert values(find(made, shop.arn("volume")), "ec2:encrypted", "ec2:volumesize") == ("true", "10")


def test_the_network_of_a_launch_is_what_it_names(shop: Shop) -> None:
    vpc = shop.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = shop.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}c")["Subnet"]
    group = shop.ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    shop.ec2.create_tags(Resources=[subnet["SubnetId"]], Tags=[{"Key": "tier", "Value": "private"}])
    checks = shop.checks(
        "RunInstances",
        ImageId=shop.image,
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet["SubnetId"],
                "Groups": [group],
                "AssociatePublicIpAddress": True,
            }
        ],
    )
    place = find(checks, shop.arn("subnet", subnet["SubnetId"]))
    assert values(place, "ec2:vpc", "aws:resourcetag/tier") == (shop.arn("vpc", vpc), "private")
    assert values(find(checks, shop.arn("security-group", group)), "ec2:securitygroupid") == (group,)
    interface = find(checks, shop.arn("network-interface"))
    assert values(interface, "ec2:associatepublicipaddress", "ec2:subnet", "ec2:vpc") == (
        "true",
        shop.arn("subnet", subnet["SubnetId"]),
        shop.arn("vpc", vpc),
    )
    assert find(checks, shop.arn("instance")).context["ec2:availabilityzone"] == f"{REGION}c"


def test_a_launch_template_gives_what_the_request_does_not(shop: Shop) -> None:
    data = {"ImageId": shop.image, "InstanceType": "t3.micro", "MetadataOptions": {"HttpTokens": "required"}}
    template = shop.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData=data,
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "shop"}]}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    checks = shop.checks(
        "RunInstances", LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"}, InstanceType="t3.large"
    )
    arn = shop.arn("launch-template", template)
    image, instance = find(checks, shop.image_arn), find(checks, shop.arn("instance"), "ec2:RunInstances")
    assert values(image, "ec2:launchtemplate", "ec2:islaunchtemplateresource") == (arn, "true")
    assert values(instance, "ec2:instancetype", "ec2:islaunchtemplateresource") == ("t3.large", "false")
    assert instance.context["ec2:metadatahttptokens"] == "required"
    assert find(checks, arn).context["aws:resourcetag/team"] == "shop"


def test_a_fleet_takes_the_image_of_its_template_unless_that_is_overridden(shop: Shop) -> None:
    own = shop.ec2.register_image(Name="own", RootDeviceName="/dev/xvda")["ImageId"]
    shop.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": shop.image})
    config: dict[str, Any] = {"LaunchTemplateSpecification": {"LaunchTemplateName": "web", "Version": "$Default"}}
    images = [each.resource for each in shop.checks("CreateFleet", LaunchTemplateConfigs=[config])]
    assert shop.image_arn in images
    config["Overrides"] = [{"ImageId": own}]
    images = [each.resource for each in shop.checks("CreateFleet", LaunchTemplateConfigs=[config])]
    assert shop.image_arn not in images
    assert f"arn:aws:ec2:{REGION}::image/{own}" in images


def test_spot_requests_check_their_image(shop: Shop) -> None:
    checks = shop.checks("RequestSpotInstances", LaunchSpecification={"ImageId": shop.image})
    assert find(checks, shop.image_arn).context["ec2:owner"] == shop.owner_id
    assert find(checks, shop.arn("spot-instances-request")).action == "ec2:RequestSpotInstances"


def test_a_launch_passes_the_role_of_its_profile(shop: Shop) -> None:
    shop.iam.create_role(RoleName="web", AssumeRolePolicyDocument="{}")
    arn = shop.iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
    shop.iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    checks = shop.checks("RunInstances", ImageId=shop.image, IamInstanceProfile={"Name": "web"})
    passed = find(checks, f"arn:aws:iam::{shop.account}:role/web")
    assert (passed.action, passed.context["iam:passedtoservice"]) == ("iam:PassRole", "ec2.amazonaws.com")
    assert find(checks, shop.arn("instance")).context["ec2:instanceprofile"] == arn


def test_an_image_id_from_a_parameter_is_read_first(shop: Shop) -> None:
    checks = shop.checks("RunInstances", ImageId="resolve:ssm:/golden/image")
    read = find(checks, f"arn:aws:ssm:{REGION}:{shop.account}:parameter/golden/image")
    assert read.action == "ssm:GetParameters"


@pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags"])
def test_tagging_checks_the_resource_with_the_keys_of_the_tags(shop: Shop, operation: str) -> None:
    tags = [{"Key": "ec2:SharedTag/status", "Value": "rejected"}]
    (check,) = shop.checks(operation, Resources=[shop.image], Tags=tags)
    assert (check.action, check.resource) == (f"ec2:{operation}", shop.image_arn)
    assert values(
        check, "aws:tagkeys", "aws:requesttag/ec2:sharedtag/status", "aws:resourcetag/ec2:sharedtag/status"
    ) == (
        ("ec2:SharedTag/status",),
        "rejected",
        "approved",
    )
    # DeleteTags does not know whose the image is: conditions on that go by.
    assert ("ec2:owner" in check.context) == (operation == "CreateTags")
    assert not check.unknown


def test_a_copy_checks_the_source_and_what_it_makes(shop: Shop) -> None:
    checks = shop.checks("CopyImage", SourceImageId=shop.image, SourceRegion=REGION, Name="mine", CopyImageTags=True)
    new = f"arn:aws:ec2:{REGION}::image/*"
    assert values(find(checks, shop.image_arn), "ec2:owner", "ec2:imageid") == (shop.owner_id, shop.image)
    assert values(find(checks, new, "ec2:CopyImage"), "ec2:owner", "ec2:imageid") == (shop.account, None)
    assert find(checks, f"arn:aws:ec2:{REGION}::snapshot/*").action == "ec2:CopyImage"
    tagging = find(checks, new, "ec2:CreateTags")
    assert values(tagging, "ec2:createaction", "aws:tagkeys") == ("CopyImage", ("ec2:SharedTag/status",))


def test_an_image_of_an_instance_checks_the_instance(shop: Shop) -> None:
    instance = shop.ec2.run_instances(ImageId=shop.image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    id = instance["Instances"][0]["InstanceId"]
    checks = shop.checks("CreateImage", InstanceId=id, Name="mine")
    assert values(find(checks, shop.arn("instance", id)), "ec2:instancetype", "ec2:instanceid") == ("t3.micro", id)
    assert find(checks, f"arn:aws:ec2:{REGION}::image/*").context["ec2:owner"] == shop.account


@pytest.mark.parametrize("operation", ["DeregisterImage", "ModifyImageAttribute", "DisableImage"])
def test_changes_of_an_image_check_it(shop: Shop, operation: str) -> None:
    (check,) = shop.checks(operation, ImageId=shop.image)
    assert check.resource == shop.image_arn
    assert values(check, "ec2:owner", "aws:resourcetag/ec2:sharedtag/status") == (shop.owner_id, "approved")


def test_keys_that_are_not_computed_are_named(shop: Shop) -> None:
    (check,) = shop.checks("ModifyImageAttribute", ImageId=shop.image)
    assert check.unknown == {"ec2:attribute", "ec2:attribute/${attributename}"}


def test_a_resource_that_is_not_found_is_any_of_its_kind(shop: Shop) -> None:
    (check,) = shop.checks("DeleteKeyPair", KeyName="web")
    assert check.resource == shop.arn("key-pair")
    assert "resource" in check.unknown
    shop.ec2.create_key_pair(KeyName="web", KeyType="ed25519")
    (check,) = shop.checks("DeleteKeyPair", KeyName="web")
    assert (check.resource, check.context["ec2:keypairtype"]) == (shop.arn("key-pair", "web"), "ed25519")
    checks = shop.checks("RunInstances", ImageId=shop.image, KeyName="web")
    assert values(find(checks, shop.arn("key-pair", "web")), "ec2:keypairname") == ("web",)


def test_what_is_true_of_a_resource_that_is_not_known_is_not_known_either(shop: Shop) -> None:
    """An association has an id and no ARN."""
    (check,) = shop.checks("DisassociateRouteTable", AssociationId="rtbassoc-0123456789abcdef0")
    assert check.resource == "*"
    assert {"resource", "aws:resourcetag/${tagkey}", "ec2:vpc"} <= check.unknown
    (check,) = shop.checks("CreateTags", Resources=["ami-0123456789abcdef0"], Tags=[{"Key": "k", "Value": "v"}])
    assert values(check, "aws:tagkeys", "aws:requesttag/k") == (("k",), "v")
    assert {"resource", "aws:resourcetag/${tagkey}"} <= check.unknown
    assert "aws:tagkeys" not in check.unknown


def test_a_template_is_found_by_its_name(shop: Shop) -> None:
    data = {"ImageId": shop.image}
    made = shop.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    (check,) = shop.checks("DeleteLaunchTemplate", LaunchTemplateName="web")
    assert check.resource == shop.arn("launch-template", made["LaunchTemplateId"])


@pytest.mark.parametrize(
    "operation", ["DescribeImages", "EnableImageBlockPublicAccess", "EnableEbsEncryptionByDefault"]
)
def test_calls_about_the_account_have_no_resource(shop: Shop, operation: str) -> None:
    assert shop.checks(operation) == (Check(f"ec2:{operation}", "*", context={"ec2:region": REGION}),)


def test_an_operation_that_nobody_knows_is_not_judged() -> None:
    with organization():
        assert checks_of(ApiCall("ec2", "FlyToTheMoon", {}, REGION, "123456789012")) is None
