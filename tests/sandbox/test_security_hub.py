"""Security Hub: findings that are imported, updated, found and counted; what is refused; who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Kind, Time, key_of
from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.up_to_date import Published, publish
from org.model import AccountId, Region
from org.sandbox.securityhub.console import send_to_action
from org.sandbox.session import Credentials, isolated_session
from org.sandbox.trail.events import published
from tests.support.cloud import HOME, Cloud, refusal
from tests.support.sandbox import written

FINDING = {
    "SchemaVersion": "2018-10-08",
    "Id": "one",
    "ProductArn": "arn:aws:securityhub:eu-central-1::product/a/b",
    "GeneratorId": "orgctl/lineage/trusted-root",
    "AwsAccountId": "111122223333",
    "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
    "CreatedAt": "2026-11-26T08:00:00Z",
    "UpdatedAt": "2026-11-26T08:00:00Z",
    "Severity": {"Label": "HIGH"},
    "Title": "an image without a trusted root",
    "Description": "of ami-1 nobody knows where it comes from",
    "Resources": [{"Type": "Other", "Id": "ami-1", "Details": {"Other": {"owner": "111122223333"}}}],
    "Compliance": {"Status": "FAILED"},
}
LARGE = {"Type": "Other", "Details": {"Other": {f"k{number}": "v" * 2000 for number in range(50)}}}
LATER = "2026-11-26T09:00:00Z"


class Hub:
    """The hub of one account, and findings for it."""

    def __init__(self, cloud: Cloud, account: str) -> None:
        self.account = account
        self.cloud = cloud
        self.client: Any = cloud.client("securityhub", account)
        self.product = f"arn:aws:securityhub:{HOME}:{account}:product/{account}/default"

    def finding(self, id: str = "one", **more: Any) -> dict[str, Any]:
        own = {"ProductArn": self.product, "AwsAccountId": self.account}
        return {name: value for name, value in {**FINDING, "Id": id, **own, **more}.items() if value is not None}

    def take(self, *findings: dict[str, Any]) -> None:
        answer = self.client.batch_import_findings(Findings=list(findings))
        assert (answer["FailedCount"], answer["SuccessCount"], answer["FailedFindings"]) == (0, len(findings), [])

    def why_not(self, finding: dict[str, Any]) -> str:
        """Answer why a finding is not taken."""
        answer = self.client.batch_import_findings(Findings=[finding])
        assert (answer["FailedCount"], answer["SuccessCount"]) == (1, 0)
        (failure,) = answer["FailedFindings"]
        assert (failure["Id"], failure["ErrorCode"]) == (finding["Id"], "InvalidInput")
        return str(failure["ErrorMessage"])

    def find(self, **filters: tuple[str, str]) -> list[str]:
        """Answer the ids of those that match, each filter a comparison and a value."""
        asked = {name: [{"Comparison": each[0], "Value": each[1]}] for name, each in filters.items()}
        return [each["Id"] for each in self.client.get_findings(Filters=asked)["Findings"]]

    def read(self, id: str = "one") -> dict[str, Any]:
        asked = {"Id": [{"Value": id, "Comparison": "EQUALS"}]}
        (finding,) = self.client.get_findings(Filters=asked)["Findings"]
        return dict(finding)

    def update(self, id: str = "one", **more: Any) -> dict[str, Any]:
        named = [{"Id": id, "ProductArn": self.product}]
        return dict(self.client.batch_update_findings(FindingIdentifiers=named, **more))


@pytest.fixture
def hub(cloud: Cloud) -> Hub:
    hub = Hub(cloud, cloud.make_account())
    hub.client.enable_security_hub(EnableDefaultStandards=False)
    return hub


# --- the hub


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_findings(),
        lambda client: client.batch_import_findings(Findings=[FINDING]),
        lambda client: client.describe_hub(),
        lambda client: client.get_insights(),
        lambda client: client.create_action_target(Name="a", Description="b", Id="c"),
        lambda client: client.batch_update_findings(FindingIdentifiers=[]),
    ],
)
def test_nothing_is_done_in_an_account_that_has_not_enabled_it(cloud: Cloud, call: Callable[[Any], Any]) -> None:
    account = cloud.make_account()
    with pytest.raises(ClientError) as caught:
        call(cloud.client("securityhub", account))
    message = f"InvalidAccessException: Account {account} is not subscribed to AWS Security Hub"
    assert refusal(caught) == message
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_it_is_enabled_once_and_forgets_everything_when_it_is_disabled(hub: Hub) -> None:
    assert hub.client.describe_hub()["HubArn"] == f"arn:aws:securityhub:{HOME}:{hub.account}:hub/default"
    with pytest.raises(hub.client.exceptions.ResourceConflictException):
        hub.client.enable_security_hub()
    hub.take(hub.finding())
    hub.client.disable_security_hub()
    hub.client.enable_security_hub()
    assert hub.find() == []


# --- importing


def test_a_finding_is_kept_with_what_security_hub_adds(hub: Hub) -> None:
    hub.take(hub.finding())
    kept = hub.read()
    assert {name: kept[name] for name in ("RecordState", "Workflow", "Region", "ProductName", "CompanyName")} == {
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
        "Region": HOME,
        "ProductName": "Default",
        "CompanyName": "Personal",
    }
    assert kept["Severity"] == {"Label": "HIGH", "Normalized": 70}
    assert kept["FindingProviderFields"]["Severity"] == {"Label": "HIGH"}
    assert kept["ProductFields"]["aws/securityhub/FindingId"] == f"{hub.product}/one"
    assert kept["AwsAccountName"] == "account-1"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"Title": None}, 'Missing required parameter in input: "Title"'),
        ({"Title": "t" * 257}, "data.Title should NOT be longer than 256 characters"),
        ({"Description": "d" * 1025}, "data.Description should NOT be longer than 1024 characters"),
        ({"Description": ""}, "data.Description should NOT be shorter than 1 characters"),
        ({"Resources": []}, "data.Resources should have 1 to 32 items"),
        ({"Severity": None}, "required property 'Severity' or 'FindingProviderFields.Severity'"),
        ({"Severity": {"Label": "BAD"}}, "data.Severity.Label should be equal to one of the allowed values"),
        ({"Severity": {"Product": 1.0}}, "data.Severity should have required property 'Label' or 'Normalized'"),
        ({"Types": None}, "required property 'Types' or 'FindingProviderFields.Types'"),
        ({"Types": ["Lineage/Images"]}, "data.Types should be NAMESPACE/CATEGORY/CLASSIFIER of a known namespace"),
        ({"CreatedAt": "yesterday"}, 'data.CreatedAt should match format "date-time"'),
        ({"SchemaVersion": "2020"}, "data.SchemaVersion should be equal to one of the allowed values"),
        ({"Compliance": {"Status": "BAD"}}, "data.Compliance.Status should be equal to one of the allowed values"),
        ({"RecordState": "GONE"}, "data.RecordState should be equal to one of the allowed values"),
        ({"ProductFields": {"k" * 129: "v"}}, "data.ProductFields should NOT have keys over 128"),
        ({"ProductFields": {f"k{n}": "v" for n in range(51)}}, "data.ProductFields should NOT have more than 50"),
        (
            {"Resources": [{"Type": "Other", "Id": "a", "Details": {"Other": {"k": "v" * 2049}}}]},
            "data.Resources[0].Details.Other should NOT have keys over 128 or values over 2048 characters",
        ),
        (
            {"Resources": [{**LARGE, "Id": str(number)} for number in range(3)]},
            "data should NOT be larger than 240 KB",
        ),
        ({"AwsAccountId": "111122223333"}, "AwsAccountId 111122223333 is not the account that calls"),
        ({"ProductArn": "arn:aws:securityhub:eu-central-1::product/a/b"}, "is not enabled for import"),
    ],
)  # fmt: skip
def test_a_finding_that_is_not_in_the_format_is_refused_by_itself(hub: Hub, wrong: dict[str, Any], why: str) -> None:
    good, bad = hub.finding("good"), hub.finding("bad", **wrong)
    answer = _import_unchecked(hub, [good, bad])
    assert (answer["SuccessCount"], answer["FailedCount"]) == (1, 1)
    (failure,) = answer["FailedFindings"]
    assert (failure["Id"], failure["ErrorCode"]) == ("bad", "InvalidInput")
    assert why in failure["ErrorMessage"]
    assert hub.find() == ["good"]


def _import_unchecked(hub: Hub, findings: list[dict[str, Any]]) -> dict[str, Any]:
    """Import what botocore would not even send."""

    def write(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps({"Findings": findings}).encode()

    hub.client.meta.events.register("before-call.securityhub.BatchImportFindings", write)
    try:
        return dict(hub.client.batch_import_findings(Findings=[hub.finding()]))
    finally:
        hub.client.meta.events.unregister("before-call.securityhub.BatchImportFindings", write)


def test_details_that_are_no_texts_are_refused(hub: Hub) -> None:
    nested = [{"Type": "Other", "Id": "ami-1", "Details": {"Other": {"chain": ["ami-0"]}}}]
    (failure,) = _import_unchecked(hub, [hub.finding(Resources=nested)])["FailedFindings"]
    assert "Invalid type for parameter Resources[0].Details.Other.chain" in failure["ErrorMessage"]


def test_no_more_than_a_hundred_are_imported_at_once(hub: Hub) -> None:
    hub.take(*(hub.finding(str(number)) for number in range(100)))
    with pytest.raises(ClientError) as caught:
        hub.client.batch_import_findings(Findings=[hub.finding(str(number)) for number in range(101)])
    assert "InvalidInputException" in refusal(caught)


def test_a_finding_under_another_accounts_product_is_denied(cloud: Cloud, hub: Hub) -> None:
    other = Hub(cloud, cloud.make_account())
    other.client.enable_security_hub()
    with pytest.raises(ClientError) as caught:
        other.client.batch_import_findings(Findings=[hub.finding(AwsAccountId=other.account)])
    assert refusal(caught).startswith("AccessDeniedException: User: ")
    assert f"not authorized to perform: securityhub:BatchImportFindings on resource: {hub.product}" in refusal(caught)


# --- importing again


def test_an_import_that_is_not_later_changes_nothing(hub: Hub) -> None:
    hub.take(hub.finding())
    assert "UpdatedAt 2026-11-26T08:00:00Z is not later" in hub.why_not(hub.finding(Title="same time"))
    assert "is not later" in hub.why_not(hub.finding(Title="earlier", UpdatedAt="2026-11-26T07:59:59.999Z"))
    assert hub.read()["Title"] == "an image without a trusted root"
    hub.take(hub.finding(Title="later", UpdatedAt="2026-11-26T09:00:00+00:59"))
    assert hub.read()["Title"] == "later"


def test_what_the_investigators_say_outlives_an_import(hub: Hub) -> None:
    hub.take(hub.finding())
    note = {"Text": "looked at", "UpdatedBy": "ann"}
    hub.update(Note=note, Severity={"Label": "LOW"}, Workflow={"Status": "NOTIFIED"}, UserDefinedFields={"t": "1"})
    hub.take(
        hub.finding(UpdatedAt=LATER, Severity={"Label": "CRITICAL"}, Note={**note, "UpdatedAt": LATER, "Text": "x"})
    )
    kept = hub.read()
    assert kept["Note"]["Text"] == "looked at"
    assert kept["Severity"]["Label"] == "LOW"
    assert kept["FindingProviderFields"]["Severity"]["Label"] == "CRITICAL"
    assert kept["Workflow"] == {"Status": "NOTIFIED"}
    assert kept["UserDefinedFields"] == {"t": "1"}
    assert kept["UpdatedAt"] == LATER


def test_a_severity_that_nobody_overruled_follows_the_provider(hub: Hub) -> None:
    hub.take(hub.finding())
    hub.take(hub.finding(UpdatedAt=LATER, Severity={"Normalized": 95}))
    assert hub.read()["Severity"] == {"Label": "CRITICAL", "Normalized": 95}


@pytest.mark.parametrize(("status", "then"), [("RESOLVED", "NEW"), ("NOTIFIED", "NEW"), ("SUPPRESSED", "SUPPRESSED")])
def test_a_finding_that_comes_back_is_new_again(hub: Hub, status: str, then: str) -> None:
    hub.take(hub.finding(RecordState="ARCHIVED"), hub.finding("two", Compliance={"Status": "PASSED"}), hub.finding("3"))
    for id in ("one", "two", "3"):
        hub.update(id, Workflow={"Status": status})
    hub.take(*(hub.finding(id, UpdatedAt=LATER) for id in ("one", "two", "3")))
    assert [hub.read(id)["Workflow"]["Status"] for id in ("one", "two", "3")] == [then, then, status]


# --- updating


def test_an_update_names_what_it_did_not_find(hub: Hub) -> None:
    hub.take(hub.finding())
    named = [{"Id": id, "ProductArn": hub.product} for id in ("one", "none")]
    answer = hub.client.batch_update_findings(FindingIdentifiers=named, Note={"Text": "n", "UpdatedBy": "ann"})
    assert answer["ProcessedFindings"] == named[:1]
    (missing,) = answer["UnprocessedFindings"]
    assert (missing["FindingIdentifier"], missing["ErrorCode"]) == (named[1], "FindingNotFound")
    assert hub.read()["Note"]["UpdatedBy"] == "ann"
    assert hub.read()["UpdatedAt"] == "2026-11-26T08:00:00Z"


def test_an_update_can_be_forbidden_by_the_value_of_a_field(cloud: Cloud, hub: Hub) -> None:
    hub.take(hub.finding())
    allowed = {"Effect": "Allow", "Action": "securityhub:BatchUpdateFindings", "Resource": "*"}
    key = "securityhub:ASFFSyntaxPath/Workflow.Status"
    forbidden = {**allowed, "Effect": "Deny", "Condition": {"StringEquals": {key: "SUPPRESSED"}}}
    investigator = _as_role(cloud, hub.account, allowed, forbidden)
    named = [{"Id": "one", "ProductArn": hub.product}]
    investigator.batch_update_findings(FindingIdentifiers=named, Workflow={"Status": "RESOLVED"})
    with pytest.raises(ClientError) as caught:
        investigator.batch_update_findings(FindingIdentifiers=named, Workflow={"Status": "SUPPRESSED"})
    assert "with an explicit deny in an identity-based policy" in refusal(caught)
    assert hub.read()["Workflow"]["Status"] == "RESOLVED"


def test_a_role_imports_into_the_product_that_it_is_allowed(cloud: Cloud, hub: Hub) -> None:
    importer = _as_role(
        cloud, hub.account, {"Effect": "Allow", "Action": "securityhub:BatchImportFindings", "Resource": hub.product}
    )
    assert importer.batch_import_findings(Findings=[hub.finding()])["SuccessCount"] == 1
    with pytest.raises(ClientError) as caught:
        importer.get_findings()
    assert "not authorized to perform: securityhub:GetFindings" in refusal(caught)


def _as_role(cloud: Cloud, account: str, *statements: dict[str, Any]) -> Any:
    iam = cloud.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=written(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="Worker", PolicyName="all", PolicyDocument=written(*statements))
    given = cloud.client("sts", account).assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return isolated_session(HOME, keys).client("securityhub")


# --- finding


def test_findings_are_found_by_what_they_say(hub: Hub) -> None:
    hub.take(
        hub.finding("lineage/a", GeneratorId="orgctl/lineage/c1"),
        hub.finding("lineage/b", GeneratorId="orgctl/lineage/c2", Severity={"Label": "LOW"}, RecordState="ARCHIVED"),
        hub.finding("other", GeneratorId="other", Compliance=None, ProductFields={"account": "111122223333"}),
    )
    hub.update("other", Workflow={"Status": "SUPPRESSED"})
    assert hub.find(Id=("EQUALS", "lineage/a")) == ["lineage/a"]
    assert hub.find(Id=("PREFIX", "lineage/")) == ["lineage/a", "lineage/b"]
    assert hub.find(Id=("PREFIX_NOT_EQUALS", "lineage/")) == ["other"]
    assert hub.find(GeneratorId=("PREFIX", "orgctl/"), RecordState=("EQUALS", "ACTIVE")) == ["lineage/a"]
    assert hub.find(SeverityLabel=("NOT_EQUALS", "HIGH")) == ["lineage/b"]
    assert hub.find(ComplianceStatus=("NOT_EQUALS", "FAILED")) == ["other"]
    assert hub.find(WorkflowStatus=("EQUALS", "SUPPRESSED")) == ["other"]
    assert hub.find(ResourceId=("EQUALS", "ami-1"), Title=("CONTAINS", "root"), Type=("PREFIX", "TTPs")) == []
    both = [{"Value": each, "Comparison": "EQUALS"} for each in ("other", "lineage/a")]
    assert [each["Id"] for each in hub.client.get_findings(Filters={"Id": both})["Findings"]] == ["lineage/a", "other"]
    neither = [{**each, "Comparison": "NOT_EQUALS"} for each in both]
    assert [each["Id"] for each in hub.client.get_findings(Filters={"Id": neither})["Findings"]] == ["lineage/b"]
    by_field = {"ProductFields": [{"Key": "account", "Value": "111122223333", "Comparison": "EQUALS"}]}
    assert [each["Id"] for each in hub.client.get_findings(Filters=by_field)["Findings"]] == ["other"]
    times = {"UpdatedAt": [{"Start": "2026-11-26T00:00:00Z", "End": "2026-11-26T07:00:00Z"}]}
    assert hub.client.get_findings(Filters=times)["Findings"] == []
    numbers = {"SeverityNormalized": [{"Gte": 1, "Lte": 39}]}
    assert [each["Id"] for each in hub.client.get_findings(Filters=numbers)["Findings"]] == ["lineage/b"]


def test_findings_come_in_pages_and_in_the_order_that_was_asked_for(hub: Hub) -> None:
    labels = ["LOW", "CRITICAL", "HIGH", "MEDIUM", "INFORMATIONAL"]
    hub.take(*(hub.finding(label, Severity={"Label": label}) for label in labels))
    order = [{"Field": "SeverityLabel", "SortOrder": "desc"}]
    pages = hub.client.get_paginator("get_findings").paginate(SortCriteria=order, PaginationConfig={"PageSize": 2})
    assert [[each["Id"] for each in page["Findings"]] for page in pages] == [
        ["CRITICAL", "HIGH"],
        ["MEDIUM", "LOW"],
        ["INFORMATIONAL"],
    ]
    token = hub.client.get_findings(SortCriteria=order, MaxResults=2)["NextToken"]
    with pytest.raises(hub.client.exceptions.InvalidInputException):
        hub.client.get_findings(MaxResults=2, NextToken=token)


def test_an_attribute_that_the_sandbox_cannot_find_is_an_error_and_no_empty_answer(hub: Hub) -> None:
    hub.take(hub.finding())
    with pytest.raises(ClientError) as caught:
        hub.find(MalwareName=("EQUALS", "x"))
    assert "NotImplementedException" in refusal(caught)
    assert "MalwareName" in refusal(caught)


# --- insights and custom actions


def test_an_insight_counts_what_its_filters_mean(hub: Hub) -> None:
    active = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
    arn = hub.client.create_insight(Name="by rule", Filters=active, GroupByAttribute="GeneratorId")["InsightArn"]
    assert arn.startswith(f"arn:aws:securityhub:{HOME}:{hub.account}:insight/{hub.account}/custom/")
    hub.take(*(hub.finding(str(number), GeneratorId=f"c{number % 2}") for number in range(5)))
    hub.take(hub.finding("gone", RecordState="ARCHIVED", GeneratorId="c1"))
    results = hub.client.get_insight_results(InsightArn=arn)["InsightResults"]
    assert results["ResultValues"] == [
        {"GroupByAttributeValue": "c0", "Count": 3},
        {"GroupByAttributeValue": "c1", "Count": 2},
    ]
    hub.client.update_insight(InsightArn=arn, GroupByAttribute="ResourceId")
    assert hub.client.get_insight_results(InsightArn=arn)["InsightResults"]["ResultValues"] == [
        {"GroupByAttributeValue": "ami-1", "Count": 5}
    ]
    hub.client.delete_insight(InsightArn=arn)
    with pytest.raises(hub.client.exceptions.ResourceNotFoundException):
        hub.client.get_insight_results(InsightArn=arn)


@pytest.mark.parametrize(
    ("name", "id", "why"),
    [
        ("a name of 21 letters.", "Approve", "Invalid parameter 'Name'"),
        ("Approve AMI", "approve-ami", "Invalid parameter 'Id'"),
        ("Approve AMI", "A" * 21, "Invalid parameter 'Id'"),
    ],
)
def test_a_custom_actions_name_and_id_are_short_and_plain(hub: Hub, name: str, id: str, why: str) -> None:
    with pytest.raises(ClientError) as caught:
        hub.client.create_action_target(Name=name, Description="d", Id=id)
    assert refusal(caught).startswith(f"InvalidInputException: {why}")
    assert hub.client.describe_action_targets()["ActionTargets"] == []


def test_a_custom_action_exists_once_and_can_be_changed_and_deleted(hub: Hub) -> None:
    arn = hub.client.create_action_target(Name="Approve AMI", Description="d", Id="Approve")["ActionTargetArn"]
    assert arn == f"arn:aws:securityhub:{HOME}:{hub.account}:action/custom/Approve"
    with pytest.raises(hub.client.exceptions.ResourceConflictException):
        hub.client.create_action_target(Name="Again", Description="d", Id="Approve")
    hub.client.update_action_target(ActionTargetArn=arn, Description="e")
    (shown,) = hub.client.describe_action_targets(ActionTargetArns=[arn])["ActionTargets"]
    assert shown == {"ActionTargetArn": arn, "Name": "Approve AMI", "Description": "e"}
    hub.client.delete_action_target(ActionTargetArn=arn)
    with pytest.raises(hub.client.exceptions.ResourceNotFoundException):
        hub.client.describe_action_targets(ActionTargetArns=[arn])


# --- events


def test_an_import_and_an_update_are_told_on_the_accounts_bus(hub: Hub) -> None:
    hub.take(hub.finding("one"), hub.finding("two"))
    hub.update("two", Workflow={"Status": "NOTIFIED"})
    told = [each for each in published() if each["source"] == "aws.securityhub"]
    assert {(each["detail-type"], each["account"]) for each in told} == {
        ("Security Hub Findings - Imported", hub.account)
    }
    assert [each["resources"] for each in told] == [[f"{hub.product}/{id}"] for id in ("one", "two", "two")]
    assert [each["detail"]["findings"][0]["Workflow"]["Status"] for each in told] == ["NEW", "NEW", "NOTIFIED"]


def test_a_click_on_a_custom_action_sends_the_findings(hub: Hub) -> None:
    hub.take(hub.finding("one"), hub.finding("two"))
    arn = hub.client.create_action_target(Name="Approve AMI", Description="lets it be used", Id="Approve")
    assert send_to_action("Approve", ["two"]) == {"action": arn["ActionTargetArn"], "findings": ["two"]}
    told = published()[-1]
    assert (told["source"], told["detail-type"]) == ("aws.securityhub", "Security Hub Findings - Custom Action")
    assert told["resources"] == [arn["ActionTargetArn"]]
    assert told["detail"]["actionName"] == "Approve AMI"
    assert told["detail"]["actionDescription"] == "lets it be used"
    assert [each["Id"] for each in told["detail"]["findings"]] == ["two"]


def test_a_click_on_what_is_not_there_is_an_error(cloud: Cloud, hub: Hub) -> None:
    hub.client.create_action_target(Name="Approve AMI", Description="d", Id="Approve")
    with pytest.raises(ValueError, match="there are 0 custom actions Refuse; known: arn:aws:securityhub"):
        send_to_action("Refuse", ["one"])
    with pytest.raises(ValueError, match="there are 0 findings one"):
        send_to_action("Approve", ["one"])
    other = Hub(cloud, cloud.make_account())
    other.client.enable_security_hub()
    other.client.create_action_target(Name="Approve AMI", Description="d", Id="Approve")
    with pytest.raises(ValueError, match="there are 2 custom actions Approve"):
        send_to_action("Approve", ["one"])


# --- the organization


def test_the_administrator_sees_and_updates_the_findings_of_members(cloud: Cloud, hub: Hub) -> None:
    administrator, management = Hub(cloud, cloud.make_account()), cloud.client("securityhub")
    management.enable_organization_admin_account(AdminAccountId=administrator.account)
    assert management.list_organization_admin_accounts()["AdminAccounts"] == [
        {"AccountId": administrator.account, "Status": "ENABLED"}
    ]
    hub.take(hub.finding())
    assert administrator.find() == ["one"]
    named = [{"Id": "one", "ProductArn": hub.product}]
    administrator.client.batch_update_findings(FindingIdentifiers=named, Workflow={"Status": "RESOLVED"})
    assert hub.read()["Workflow"]["Status"] == "RESOLVED"
    assert hub.client.get_administrator_account()["Administrator"]["AccountId"] == administrator.account
    management.disable_organization_admin_account(AdminAccountId=administrator.account)
    assert administrator.find() == []


def test_a_member_does_not_choose_the_administrator(hub: Hub) -> None:
    with pytest.raises(ClientError) as caught:
        hub.client.enable_organization_admin_account(AdminAccountId=hub.account)
    assert refusal(caught).startswith("AccessDeniedException")


# --- stacks

FILTERS = {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}
TEMPLATE: dict[str, Any] = {
    "Hub": {"Type": "AWS::SecurityHub::Hub", "Properties": {"EnableDefaultStandards": False}},
    "Insight": {
        "Type": "AWS::SecurityHub::Insight",
        "DependsOn": "Hub",
        "Properties": {"Name": "by image", "Filters": FILTERS, "GroupByAttribute": "ResourceId"},
    },
    "Action": {
        "Type": "AWS::SecurityHub::ActionTarget",
        "DependsOn": "Hub",
        "Properties": {"Name": "Approve AMI", "Description": "d", "Id": "Approve"},
    },
}


def _deploy(cloud: Cloud, account: str, resources: dict[str, Any]) -> dict[str, Any]:
    stacks = cloud.client("cloudformation", account)
    known = [each["StackName"] for each in stacks.describe_stacks()["Stacks"]]
    outputs = {
        "Action": {"Value": {"Fn::GetAtt": ["Action", "ActionTargetArn"]}},
        "Insight": {"Value": {"Ref": "Insight"}},
    }
    body = json.dumps({"Resources": resources, "Outputs": outputs})
    (stacks.update_stack if "hub" in known else stacks.create_stack)(StackName="hub", TemplateBody=body)
    (stack,) = stacks.describe_stacks(StackName="hub")["Stacks"]
    return dict(stack)


def test_a_stack_makes_hub_insight_and_action(cloud: Cloud) -> None:
    account = cloud.make_account()
    stack = _deploy(cloud, account, TEMPLATE)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    hub = Hub(cloud, account).client
    assert [each["ActionTargetArn"] for each in hub.describe_action_targets()["ActionTargets"]] == [outputs["Action"]]
    assert [each["InsightArn"] for each in hub.get_insights()["Insights"]] == [outputs["Insight"]]
    renamed = {**TEMPLATE["Action"], "Properties": {**TEMPLATE["Action"]["Properties"], "Name": "Refuse AMI"}}
    _deploy(cloud, account, {**TEMPLATE, "Action": renamed})
    assert [each["Name"] for each in hub.describe_action_targets()["ActionTargets"]] == ["Refuse AMI"]
    cloud.client("cloudformation", account).delete_stack(StackName="hub")
    with pytest.raises(hub.exceptions.InvalidAccessException):
        hub.describe_hub()


def test_a_stack_with_a_long_name_of_an_action_fails(cloud: Cloud) -> None:
    account = cloud.make_account()
    long = {**TEMPLATE["Action"], "Properties": {**TEMPLATE["Action"]["Properties"], "Name": "Analyze AMI Lineage now"}}
    stack = _deploy(cloud, account, {**TEMPLATE, "Action": long})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError):
        cloud.client("securityhub", account).describe_hub()


# --- what we tell it ourselves


def _image_without_root(region: str = HOME) -> Finding:
    image = key_of(Kind.IMAGE, "ami-00000000000000001", Region(region))
    return Finding(
        rule="compliance/lineage",
        about=image,
        account=AccountId("111122223333"),
        region=Region(region),
        severity=Severity.HIGH,
        title="nobody knows where the image comes from",
        says="its chain ends at no trusted root",
        todo="build it anew",
        details={"root": "none"},
    )


def test_what_our_publisher_tells_is_kept_left_alone_and_resolved(hub: Hub) -> None:
    product, family = Product(AccountId(hub.account), Region(HOME)), ("compliance",)

    def tell(*findings: Finding, hours: int = 0) -> Published:
        now = Time(1_790_000_000_000 + hours * 3_600_000)
        return publish(hub.client, findings, lambda _rule, _about: True, product, family, now)

    finding = _image_without_root()
    assert tell(finding).created == (finding,)
    (id,) = hub.find(GeneratorId=("EQUALS", "orgctl/compliance/lineage"), RecordState=("EQUALS", "ACTIVE"))
    assert tell(finding, hours=1).unchanged == (finding,)
    assert tell(replace(finding, title="it is still unknown"), hours=2).updated != ()
    assert hub.read(id)["Title"] == "it is still unknown"
    assert tell(hours=3).resolved == (id,)
    kept = hub.read(id)
    assert (kept["RecordState"], kept["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")
    hub.update(id, Workflow={"Status": "RESOLVED"})
    assert tell(finding, hours=4).created == (finding,)
    assert hub.read(id)["Workflow"]["Status"] == "NEW"
