"""Both example manifests, bootstrapped in the sandbox: what is then in AWS, by boto3 alone, account by account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from config.load import load_manifest
from config.manifest import AccountSpec, Manifest, walk_units
from org.model import ROOT, WantedState
from stacksets.desired import render_desired
from stacksets.lineage_events import render_patterns
from tests.support.rollout import Rollout
from tests.support.sandbox import assume, sandbox_session

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
ALWAYS_ATTACHED = {"SERVICE_CONTROL_POLICY": ["FullAWSAccess"], "RESOURCE_CONTROL_POLICY": ["RCPFullAWSAccess"]}
HOME = "eu-central-1"


class Governed:
    """An example after its bootstrap, and the live organization with its names looked up."""

    def __init__(self, session: boto3.Session, name: str) -> None:
        loaded = load_manifest(EXAMPLES / name / "organization.yaml")
        self.session = session
        self.manifest: Manifest = loaded.manifest
        self.wanted = render_desired(loaded)
        self.rollout = Rollout(session)
        self.rollout.bootstrap(self.wanted)
        self.organizations: Any = session.client("organizations")
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        self.organization = self.organizations.describe_organization()["Organization"]["Id"]
        self.accounts = {each["Name"]: each["Id"] for each in self.all_of("list_accounts", "Accounts")}
        self.units = {ROOT: self.root} | dict(self._units(self.root, ""))
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}

    def all_of(self, operation: str, key: str, **arguments: str) -> list[Any]:
        pages = self.organizations.get_paginator(operation).paginate(**arguments)
        return [each for page in pages for each in page[key]]

    def _units(self, parent: str, path: str) -> Iterator[tuple[str, str]]:
        found = self.all_of("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        for unit in found:
            yield f"{path}{unit['Name']}", unit["Id"]
            yield from self._units(unit["Id"], f"{path}{unit['Name']}/")

    @property
    def members(self) -> list[AccountSpec]:
        management = self.manifest.organization.management_account
        return [account for account in self.manifest.accounts if account.name != management]

    def unit_of(self, account: AccountSpec) -> str:
        quarantined = account.state is WantedState.QUARANTINED
        return (self.manifest.organization.quarantine_unit or "") if quarantined else account.unit

    def within(self, unit: str) -> set[str]:
        """The member accounts that are in the unit or below it."""
        return {each.name for each in self.members if f"{self.unit_of(each)}/".startswith(f"{unit}/")}

    def client(self, service: str, account: str, region: str = HOME) -> Any:
        if account not in self._sessions:
            self._sessions[account] = assume(self.session, self.accounts[account])
        key = (service, account, region)
        if key not in self._clients:
            self._clients[key] = self._sessions[account].client(service, region_name=region)  # type: ignore[call-overload]
        return self._clients[key]

    def tags(self, resource: str) -> dict[str, str]:
        found = self.all_of("list_tags_for_resource", "Tags", ResourceId=resource)
        return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("orgctl:")}

    def log_groups(self, account: str, region: str) -> dict[str, int]:
        """Days of retention by name."""
        found = self.client("logs", account, region).describe_log_groups()["logGroups"]
        return {group["logGroupName"]: group["retentionInDays"] for group in found}


@pytest.fixture(scope="module", params=["minimal", "company"])
def governed(request: pytest.FixtureRequest) -> Iterator[Governed]:
    """Each example once, for all tests: the sandbox is one to a process, and none of them changes what others read."""
    with sandbox_session() as session:
        yield Governed(session, request.param)


of_the_company = pytest.mark.parametrize("governed", ["company"], indirect=True)


def set_tags(tags: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if value is not None}


def test_planned_again_there_are_no_changes(governed: Governed) -> None:
    assert [step.change.describe() for step in governed.rollout.plan(governed.wanted).steps] == []


def test_every_unit_is_where_the_manifest_has_it_with_its_tags(governed: Governed) -> None:
    wanted = {path: set_tags(dict(unit.tags)) for path, unit, _ in walk_units(governed.manifest)}
    assert {path: governed.tags(id) for path, id in governed.units.items() if path != ROOT} == wanted


def test_every_account_is_in_its_unit_with_its_email_and_tags(governed: Governed) -> None:
    emails = {each["Name"]: each["Email"] for each in governed.all_of("list_accounts", "Accounts")}
    assert len(emails) == len(governed.manifest.accounts)
    for account in governed.manifest.accounts:
        id = governed.accounts[account.name]
        parent = governed.organizations.list_parents(ChildId=id)["Parents"][0]["Id"]
        assert parent == governed.units[governed.unit_of(account)], account.name
        assert governed.tags(id) == set_tags(dict(account.tags)), account.name
        if account in governed.members:  # that of the management account is what it was before there was a manifest
            assert emails[account.name] == account.email


def test_every_account_has_the_alternate_contacts_that_are_named_for_it(governed: Governed) -> None:
    contacts: Any = governed.session.client("account")
    for account in governed.manifest.accounts:
        named = {"AccountId": governed.accounts[account.name]} if account in governed.members else {}
        for kind, wanted in account.alternate_contacts.items():
            if wanted is None:
                with pytest.raises(ClientError, match="ResourceNotFoundException"):
                    contacts.get_alternate_contact(AlternateContactType=kind.upper(), **named)
            else:
                found = contacts.get_alternate_contact(AlternateContactType=kind.upper(), **named)["AlternateContact"]
                shown = found["Name"], found["Title"], found["EmailAddress"], found["PhoneNumber"]
                assert shown == (wanted.name, wanted.title, wanted.email, wanted.phone)


def test_every_policy_is_attached_where_the_manifest_says_and_nowhere_else(governed: Governed) -> None:
    policies = governed.manifest.policies
    for type in {policy.type for policy in policies}:
        of_type = [policy for policy in policies if policy.type == type]
        for kind, targets in (("units", governed.units), ("accounts", governed.accounts)):
            for name, id in targets.items():
                found = governed.all_of("list_policies_for_target", "Policies", TargetId=id, Filter=type)
                wanted = [
                    policy.name
                    for policy in of_type
                    if (policy.attach.root if name == ROOT else name in getattr(policy.attach, kind))
                ]
                assert sorted(policy["Name"] for policy in found) == sorted(wanted + ALWAYS_ATTACHED.get(type, [])), id


def test_policies_stand_in_aws_with_ids_in_place_of_names(governed: Governed) -> None:
    for spec in governed.manifest.policies:
        found = governed.all_of("list_policies", "Policies", Filter=spec.type)
        (id,) = [policy["Id"] for policy in found if policy["Name"] == spec.name]
        policy = governed.organizations.describe_policy(PolicyId=id)["Policy"]
        assert policy["PolicySummary"]["Description"] == spec.description
        assert json.loads(policy["Content"])
        assert "${orgctl:" not in policy["Content"]
        assert governed.tags(id) == set_tags(dict(spec.tags))


def test_policy_types_in_use_are_enabled_in_the_root(governed: Governed) -> None:
    types = governed.organizations.list_roots()["Roots"][0]["PolicyTypes"]
    enabled = {each["Type"] for each in types if each["Status"] == "ENABLED"}
    assert {policy.type for policy in governed.manifest.policies} <= enabled


def test_services_have_the_access_and_the_administrators_that_they_are_given(governed: Governed) -> None:
    found = governed.all_of("list_aws_service_access_for_organization", "EnabledServicePrincipals")
    enabled = {each["ServicePrincipal"] for each in found}
    administrators = governed.manifest.delegated_administrators
    assert {*governed.manifest.trusted_access, *(each.service for each in administrators)} <= enabled
    for wanted in administrators:
        found = governed.all_of(
            "list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=wanted.service
        )
        assert [each["Name"] for each in found] == [wanted.account]


def test_every_member_has_the_audit_role_that_the_audit_account_alone_may_assume(governed: Governed) -> None:
    audit = governed.accounts[governed.manifest.organization.audit_account]
    external_id = governed.wanted.stacksets[1].settings.parameters["ExternalId"]
    for account in governed.members:
        iam = governed.client("iam", account.name)
        role = iam.get_role(RoleName="orgctl-audit")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{audit}:root"}
        assert statement["Condition"] == {
            "StringEquals": {"sts:ExternalId": external_id, "aws:PrincipalOrgID": governed.organization},
            "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{audit}:role/orgctl-*"},
        }
        attached = iam.list_attached_role_policies(RoleName="orgctl-audit")["AttachedPolicies"]
        assert [policy["PolicyArn"] for policy in attached] == ["arn:aws:iam::aws:policy/SecurityAudit"]
        no_data = iam.get_role_policy(RoleName="orgctl-audit", PolicyName="no-data")["PolicyDocument"]
        (statement,) = no_data["Statement"]
        assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
        assert "s3:GetObject" in statement["Action"]


def test_every_member_forwards_image_events_from_every_governed_region(governed: Governed) -> None:
    lineage = governed.accounts[governed.manifest.organization.lineage_account]
    bus = f"arn:aws:events:{HOME}:{lineage}:event-bus/orgctl-lineage"
    for account in governed.members:
        id = governed.accounts[account.name]
        for region in governed.manifest.organization.governed_regions:
            events = governed.client("events", account.name, region)
            rules = {rule["Name"]: rule for rule in events.list_rules(NamePrefix="orgctl-forward-")["Rules"]}
            assert {name: json.loads(rule["EventPattern"]) for name, rule in rules.items()} == {
                f"orgctl-forward-{name}": pattern for name, pattern in render_patterns().items()
            }
            role = f"arn:aws:iam::{id}:role/orgctl-forward-events-{region}"
            for name, rule in rules.items():
                assert rule["State"] == "ENABLED"
                (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
                assert (target["Arn"], target["RoleArn"]) == (bus, role)


def test_forwarder_role_of_each_region_may_put_events_on_the_bus_for_its_rules_only(governed: Governed) -> None:
    lineage = governed.accounts[governed.manifest.organization.lineage_account]
    for account in governed.members:
        id, iam = governed.accounts[account.name], governed.client("iam", account.name)
        for region in governed.manifest.organization.governed_regions:
            name = f"orgctl-forward-events-{region}"
            (trust,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"] == {"Service": "events.amazonaws.com"}
            assert trust["Condition"] == {
                "StringEquals": {"aws:SourceAccount": id},
                "ArnLike": {"aws:SourceArn": f"arn:aws:events:{region}:{id}:rule/orgctl-forward-*"},
            }
            (may,) = iam.get_role_policy(RoleName=name, PolicyName="put-events")["PolicyDocument"]["Statement"]
            assert may["Action"] == "events:PutEvents"
            assert may["Resource"] == f"arn:aws:events:{HOME}:{lineage}:event-bus/orgctl-lineage"


def test_every_member_has_its_log_group_in_every_governed_region(governed: Governed) -> None:
    for account in governed.members:
        for region in governed.manifest.organization.governed_regions:
            kept = 1827 if account.unit.endswith("/Card Data") else 365  # the company's override
            assert governed.log_groups(account.name, region)["/orgctl/governance"] == kept


def test_lineage_account_has_the_central_bus_for_the_organization_with_its_key(governed: Governed) -> None:
    lineage = governed.manifest.organization.lineage_account
    arn = f"arn:aws:events:{HOME}:{governed.accounts[lineage]}:event-bus/orgctl-lineage"
    bus = governed.client("events", lineage).describe_event_bus(Name="orgctl-lineage")
    assert json.loads(bus["Policy"])["Statement"] == [
        {
            "Sid": "OrganizationMayPutEvents",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": arn,
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": governed.organization}},
        }
    ]
    kms = governed.client("kms", lineage)
    assert kms.get_key_rotation_status(KeyId=bus["KmsKeyIdentifier"])["KeyRotationEnabled"] is True
    for account in governed.members:
        buses = governed.client("events", account.name).list_event_buses()["EventBuses"]
        assert ("orgctl-lineage" in {each["Name"] for each in buses}) == (account.name == lineage)


def test_management_account_is_left_alone_by_stacksets(governed: Governed) -> None:
    assert governed.session.client("iam").list_roles()["Roles"] == []
    assert governed.session.client("events", region_name=HOME).list_rules()["Rules"] == []


@of_the_company
def test_quarantined_account_is_cut_off_and_still_has_the_baseline(governed: Governed) -> None:
    assert "Legacy Shop" in governed.within("Quarantine")
    attached = governed.all_of(
        "list_policies_for_target", "Policies", TargetId=governed.units["Quarantine"], Filter="SERVICE_CONTROL_POLICY"
    )
    assert sorted(policy["Name"] for policy in attached) == ["FullAWSAccess", "Quarantine"]
    assert governed.client("iam", "Legacy Shop").get_role(RoleName="orgctl-audit")["Role"]["RoleName"] == "orgctl-audit"


@of_the_company
def test_template_of_the_companys_own_is_in_its_units_but_for_the_account_left_out(governed: Governed) -> None:
    wanted = (governed.within("Infrastructure") | governed.within("Workloads")) - {"Pipelines"}
    group = f"/security/{governed.organization}/root-sign-ins"
    for region in governed.manifest.organization.governed_regions:
        having = {each.name for each in governed.members if group in governed.log_groups(each.name, region)}
        assert having == (wanted if region == "us-east-1" else set())


@of_the_company
def test_override_for_one_account_and_region_is_in_effect_there_alone(governed: Governed) -> None:
    for account in governed.within("Infrastructure/Shared"):
        for region in governed.manifest.organization.governed_regions:
            kept = 365 if (account, region) == ("Image Factory", HOME) else 90
            assert governed.log_groups(account, region)["/builds"] == kept


@pytest.mark.parametrize("governed", ["minimal"], indirect=True)
def test_auditors_get_into_a_member_with_the_external_id_and_the_right_role_only(governed: Governed) -> None:
    iam = governed.client("iam", "Audit")
    audit, shop = governed.accounts["Audit"], governed.accounts["Shop"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{audit}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    wanted = {"RoleArn": f"arn:aws:iam::{shop}:role/orgctl-audit", "RoleSessionName": "review"}
    assuming = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": wanted["RoleArn"]}
    may = {"Version": "2012-10-17", "Statement": [assuming]}
    with_id = {"ExternalId": "minimal-audit-4f1c"}
    answers = {}
    for role in ("orgctl-reviewer", "developer"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=role, PolicyName="review", PolicyDocument=json.dumps(may))
        reviewer = assume(assume(governed.session, audit), audit, role).client("sts")
        for name, more in (("the id", with_id), ("no id", {}), ("another id", {"ExternalId": "guessed-it"})):
            try:
                reviewer.assume_role(**wanted, **more)
                answers[role, name] = "welcome"
            except ClientError as error:
                answers[role, name] = error.response["Error"]["Code"]
    assert answers == dict.fromkeys(answers, "AccessDenied") | {("orgctl-reviewer", "the id"): "welcome"}
    assert len(answers) == 6
