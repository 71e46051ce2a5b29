"""EC2's calls about what uses an image: in one's own account by reference, in all of them by count; moto lacks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError, MissingParameterError
from moto.moto_api._internal import mock_random
from moto.ssm.models import ssm_backends

from org.sandbox.ec2_backend import SandboxEC2
from org.sandbox.ec2_image_origins import ImageOriginResponses
from org.sandbox.ec2_resources import arn_of

INSTANCE, TEMPLATE, PARAMETER = "ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter"
_BUILDER = frozenset({"imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"})
"""Types of a service that is not emulated: there are none."""
_REFERENCES = frozenset({INSTANCE, TEMPLATE, PARAMETER}) | _BUILDER
_REPORTED = frozenset({INSTANCE, TEMPLATE}) | _BUILDER
_OPTIONS = {INSTANCE: "state-name", TEMPLATE: "version-depth"}
_DEEPEST = 10_000
_DEPTH_OF_REFERENCES, _DEPTH_OF_REPORTS = 10, 20
"""How many versions of a launch template are looked at where nobody says, from the newest.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResourceTypeOption.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImageUsageResourceTypeOptionRequest.html
"""
_LIFETIME = timedelta(days=30)
_AVAILABLE = "available"
_REPORT_FILTERS = {"state": "State"}
_ENTRY_FILTERS = {"account-id": "AccountId", "resource-type": "ResourceType"}


@dataclass(slots=True)
class UsageReport:
    """What was counted when the report was asked for."""

    id: str
    image_id: str
    resource_types: Sequence[Mapping[str, Any]]
    accounts: Sequence[str]
    token: str | None
    created: datetime
    entries: Sequence[Mapping[str, Any]]
    was_asked_for: bool = False


class ImageUseResponses(ImageOriginResponses):
    """DescribeImageReferences, and the four calls about usage reports."""

    def describe_image_references(self) -> ActionResult:
        """Answer what refers to the images in this account and Region.

        [H]: a launch template that names its image by parameter does not refer to it, nor does a parameter by
        an old version.
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html
        """
        self.error_on_dryrun()
        options = _read_options(self._get_param("ResourceTypes", []), _REFERENCES)
        if self._get_param("IncludeAllResourceTypes", False):
            options = dict.fromkeys(_REFERENCES, ()) | options
        if not options:
            raise MissingParameterError("ResourceTypes")
        self._require("ImageIds")
        rows = [
            {"ImageId": image, "ResourceType": name, "Arn": arn}
            for image in self._get_param("ImageIds")
            for name, option in sorted(options.items())
            for arn in _references(self.ec2_backend, image, name, option, _DEPTH_OF_REFERENCES)
        ]
        return self._page("ImageReferences", rows)

    def create_image_usage_report(self) -> ActionResult:
        """Count, for one's own image, what uses it in each account; here without the days of delay that AWS has.

        [H]: the owner's own account is among them.
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html
        """
        image = self._own_image()
        reports, token = self.ec2_backend.usage_reports, self._get_param("ClientToken")
        for known in reports.values():
            if token and known.token == token:
                return ActionResult({"ReportId": known.id})
        types, accounts = self._get_param("ResourceTypes", []), self._get_param("AccountIds", [])
        options = _read_options(types, _REPORTED)
        if not options:
            raise MissingParameterError("ResourceTypes")
        specifications = self._get_param("TagSpecifications", [])
        for specification in specifications:
            if specification["ResourceType"] != "image-usage-report":
                raise InvalidParameterValueError(specification["ResourceType"])
        id, now = f"amiur-{mock_random.get_random_hex(17)}", utcnow()
        entries = [
            {
                "ResourceType": name,
                "ReportId": id,
                "UsageCount": count,
                "AccountId": backend.account_id,
                "ImageId": image.id,
                "ReportCreationTime": now,
            }
            for backend in self.ec2_backend.everybody()
            for name, option in sorted(options.items())
            if (count := len(list(_references(backend, image.id, name, option, _DEPTH_OF_REPORTS))))
            and (not accounts or backend.account_id in accounts)
        ]
        reports[id] = UsageReport(id, image.id, types, accounts, token, now, entries)
        for specification in specifications:
            self.ec2_backend.tags[id].update({tag["Key"]: tag["Value"] for tag in specification["Tags"]})
        return ActionResult({"ReportId": id})

    def describe_image_usage_reports(self) -> ActionResult:
        self.error_on_dryrun()
        rows = [self._row(each) for each in self._asked_reports()]
        return self._page("ImageUsageReports", self._filtered(rows, _REPORT_FILTERS))

    def describe_image_usage_report_entries(self) -> ActionResult:
        self.error_on_dryrun()
        entries = [entry for report, state in self._asked_reports() if state == _AVAILABLE for entry in report.entries]
        return self._page("ImageUsageReportEntries", self._filtered(entries, _ENTRY_FILTERS))

    def delete_image_usage_report(self) -> ActionResult:
        self.error_on_dryrun()
        id = self._require("ReportId")
        self._check_report(id)
        del self.ec2_backend.usage_reports[id]
        self.ec2_backend.tags.pop(id, None)
        return ActionResult({"Return": True})

    def _asked_reports(self) -> list[tuple[UsageReport, str]]:
        """Answer the reports that the call speaks of, each with its state: pending once, then available."""
        ids, images = self._get_param("ReportIds", []), self._get_param("ImageIds", [])
        for id in ids:
            self._check_report(id)
        asked = []
        for report in self.ec2_backend.usage_reports.values():
            if (not ids or report.id in ids) and (not images or report.image_id in images):
                asked.append((report, _AVAILABLE if report.was_asked_for else "pending"))
                report.was_asked_for = True
        return asked

    def _check_report(self, id: str) -> None:
        if id not in self.ec2_backend.usage_reports:
            # [H]: the code and the words.
            raise EC2ClientError("InvalidImageUsageReportId.NotFound", f"The report ID '{id}' does not exist")

    def _row(self, asked: tuple[UsageReport, str]) -> Mapping[str, Any]:
        report, state = asked
        return {
            "ImageId": report.image_id,
            "ReportId": report.id,
            "ResourceTypes": report.resource_types,
            "AccountIds": report.accounts,
            "State": state,
            "CreationTime": report.created,
            "ExpirationTime": report.created + _LIFETIME,
            "Tags": [{"Key": key, "Value": value} for key, value in self.ec2_backend.tags.get(report.id, {}).items()],
        }

    def _filtered(self, rows: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> list[Mapping[str, Any]]:
        filters = self._filters_from_querystring()
        for name in filters:
            if name not in known:
                raise NotImplementedError(f"the filter {name}")
        return [row for row in rows if all(row[known[name]] in values for name, values in filters.items())]


def _read_options(asked: Sequence[Mapping[str, Any]], known: frozenset[str]) -> dict[str, Sequence[str]]:
    """Answer the values of the one option that a type may have, by the type.

    Raises EC2ClientError for a type that there is not, and for an option that the type has not.
    """
    found: dict[str, Sequence[str]] = {}
    for each in asked:
        name = each["ResourceType"]
        if name not in known:
            raise InvalidParameterValueError(name)
        found[name] = ()
        for option in each.get("ResourceTypeOptions", []):
            if option["OptionName"] != _OPTIONS.get(name):
                raise InvalidParameterValueError(option["OptionName"])
            found[name] = option["OptionValues"]
    depth = found.get(TEMPLATE)
    if depth and not (depth[0].isascii() and depth[0].isdigit() and 1 <= int(depth[0]) <= _DEEPEST):
        raise InvalidParameterValueError(depth[0])
    return found


def _references(backend: SandboxEC2, image: str, name: str, option: Sequence[str], depth: int) -> Iterator[str]:
    """Answer the ARNs of what refers to the image, of one type."""
    if name == INSTANCE:
        for instance in backend.all_instances():
            if instance.image_id == image and (not option or instance.state in option):
                yield arn_of(backend, "instance", instance.id)
    if name == TEMPLATE:
        newest = int(option[0]) if option else depth
        for template in backend.launch_templates.values():
            if any(version.image_id == image for version in template.versions[-newest:]):
                yield arn_of(backend, "launch-template", template.id)
    if name == PARAMETER:
        for versions in ssm_backends[backend.account_id][backend.region_name]._parameters.values():
            parameter = versions[-1]
            if parameter.data_type == "aws:ec2:image" and parameter.value == image:
                place = f"{backend.region_name}:{backend.account_id}"
                yield f"arn:{backend.partition}:ssm:{place}:parameter/{parameter.name.removeprefix('/')}"
