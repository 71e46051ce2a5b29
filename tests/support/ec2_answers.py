"""EC2 as one account in one Region sees it: plain dictionaries in the shapes of boto3; calls can be refused."""

# ruff: noqa: N803 - names of calls and parameters are those of AWS

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from handlers.lineage.model import Place
from org.model import AccountId, Region
from tests.support.lineage import ACCOUNT, REGION

PLACE = Place(ACCOUNT, REGION)
AMAZON = "137112412989"


def error(call: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{call} is refused"}}, call)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def image(id: str, **said: Any) -> dict[str, Any]:
    """As DescribeImages answers it: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html."""
    return {
        "ImageId": id,
        "OwnerId": ACCOUNT,
        "CreationDate": "2026-11-01T08:00:00.000Z",
        "Name": id.replace("ami-", "golden-"),
        "State": "available",
        "Public": False,
        "Architecture": "arm64",
        "ImageType": "machine",
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs",
        "VirtualizationType": "hvm",
        "Hypervisor": "xen",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "SnapshotId": id.replace("ami-", "snap-"),
                    "VolumeSize": 8,
                    "VolumeType": "gp3",
                    "Encrypted": True,
                    "DeleteOnTermination": True,
                },
            }
        ],
        **said,
    }


def instance(id: str, image: str, **said: Any) -> dict[str, Any]:
    """As DescribeInstances answers it within its reservation."""
    launched = at("2026-11-02T09:00:00+00:00")
    return {
        "InstanceId": id,
        "ImageId": image,
        "InstanceType": "t4g.small",
        "LaunchTime": launched,
        "State": {"Code": 16, "Name": "running"},
        "RootDeviceName": "/dev/xvda",
        "NetworkInterfaces": [{"Attachment": {"DeviceIndex": 0, "AttachTime": launched, "Status": "attached"}}],
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeId": id.replace("i-", "vol-"), "AttachTime": launched, "Status": "attached"},
            }
        ],
        **said,
    }


@dataclass
class FakeEc2:
    """Answers calls of one account; what it was asked for, and what it refuses, can be seen and set."""

    place: Place = PLACE
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Own and others'."""
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    ancestries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    permissions: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    references: list[dict[str, str]] = field(default_factory=list)
    usage: dict[str, dict[str, int]] = field(default_factory=dict)
    """By image: how many instances in which account."""
    refuse: dict[str, str] = field(default_factory=dict)
    """Calls, and with which code they are refused."""
    page: int = 1_000
    asked: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: at("2026-11-20T00:00:00+00:00"))

    def put(self, *things: dict[str, Any]) -> None:
        for each in things:
            if "InstanceId" in each:
                self.instances[each["InstanceId"]] = each
            else:
                self.images[each["ImageId"]] = each

    @property
    def counts(self) -> Counter[str]:
        return Counter(call for call, _ in self.asked)

    def __call__(self, call: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((call, asked))
        if call in self.refuse:
            raise error(call, self.refuse[call])
        answer: Mapping[str, Any] = deepcopy(getattr(self, f"_{call}")(**asked))
        return answer

    def _paged(self, name: str, rows: list[Any], token: str | None) -> dict[str, Any]:
        start = int(token or 0)
        more = {"NextToken": str(start + self.page)} if start + self.page < len(rows) else {}
        return {name: rows[start : start + self.page], **more}

    def _DescribeImages(
        self,
        IncludeDeprecated: bool,
        IncludeDisabled: bool,
        Owners: list[str] | None = None,
        Filters: list[dict[str, Any]] | None = None,
        MaxResults: int = 0,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        assert IncludeDeprecated
        assert IncludeDisabled
        found = sorted(self.images.values(), key=lambda each: each["ImageId"])
        if Owners == ["self"]:
            found = [each for each in found if each["OwnerId"] == self.place.account]
        if Filters:
            (asked,) = Filters
            assert len(asked["Values"]) <= 200
            found = [each for each in found if each["ImageId"] in asked["Values"]]
        return self._paged("Images", found, NextToken)

    def _DescribeInstances(self, MaxResults: int, IncludeManagedResources: bool, NextToken: str | None = None) -> Any:
        assert IncludeManagedResources
        rows = [{"OwnerId": self.place.account, "Instances": [each]} for _, each in sorted(self.instances.items())]
        return self._paged("Reservations", rows, NextToken)

    def _GetImageAncestry(self, ImageId: str) -> Any:
        if ImageId not in self.ancestries:
            raise error("GetImageAncestry", "InvalidAMIID.NotFound")
        return {"ImageAncestryEntries": self.ancestries[ImageId]}

    def _DescribeImageAttribute(self, ImageId: str, Attribute: str) -> Any:
        assert Attribute == "launchPermission"
        return {"ImageId": ImageId, "LaunchPermissions": self.permissions.get(ImageId, [])}

    def _DescribeImageReferences(self, ImageIds: list[str], ResourceTypes: Any, NextToken: str | None = None) -> Any:
        assert 1 <= len(ImageIds) <= 10
        return self._paged(
            "ImageReferences", [each for each in self.references if each["ImageId"] in ImageIds], NextToken
        )

    def _CreateImageUsageReport(self, ImageId: str, ResourceTypes: Any, ClientToken: str) -> Any:
        id = f"amiur-{len(self.reports)}"
        self.reports[id] = {"ReportId": id, "ImageId": ImageId, "State": "pending", "CreationTime": self.now}
        return {"ReportId": id}

    def _DescribeImageUsageReports(self, ReportIds: list[str], NextToken: str | None = None) -> Any:
        return self._paged("ImageUsageReports", [self.reports[each] for each in ReportIds], NextToken)

    def _DescribeImageUsageReportEntries(self, ReportIds: list[str], NextToken: str | None = None) -> Any:
        rows = [
            {
                "ReportId": id,
                "ImageId": self.reports[id]["ImageId"],
                "AccountId": account,
                "ResourceType": "ec2:Instance",
                "UsageCount": count,
                "ReportCreationTime": self.reports[id]["CreationTime"],
            }
            for id in ReportIds
            for account, count in sorted(self.usage.get(self.reports[id]["ImageId"], {}).items())
        ]
        return self._paged("ImageUsageReportEntries", rows, NextToken)


def place(account: str, region: str = "eu-central-1") -> Place:
    return Place(AccountId(account), Region(region))
