"""From a loaded manifest to what is desired: names resolved, templates and policies rendered, faults with places."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest

from config.load import load_manifest
from org.model import (
    ROOT,
    AccountName,
    Contact,
    ContactType,
    DelegatedAdministrator,
    DesiredOrganization,
    DesiredUnit,
    OperationPreferences,
    ParameterOverride,
    Target,
    TargetKind,
    UnitPath,
    WantedState,
)
from org.source.findings import SourceErrors
from stacksets.desired import render_desired

BASE = """\
version: 1
variables: {COMPANY: example, DAYS: 90}
organization:
  home_region: eu-central-1
  governed_regions: [eu-central-1, us-east-1]
  management_account: Management
  log_archive_account: Log Archive
  audit_account: Audit
  lineage_account: AMI Lineage
  quarantine_unit: Quarantine
units:
  - name: Workloads
    tags: {Owner: platform, Old: null}
    units: [{name: Prod, formerly: Apps}]
  - name: Quarantine
accounts:
  - {name: Management, email: management@example.com, unit: Root}
  - {name: Log Archive, email: log-archive@example.com, unit: Root}
  - {name: Audit, email: audit@example.com, unit: Root}
  - {name: AMI Lineage, email: ami-lineage@example.com, unit: Root}
  - {name: Shop, email: shop@example.com, unit: Workloads/Prod, id: "123456789012", state: quarantined}
protected_principals:
  - {name: break-glass, arn: "arn:aws:iam::*:role/BreakGlass", calls: ["*"]}
"""
AFTER = len(BASE.splitlines()) + 1
"""Line number of what a test appends."""


def render(folder: Path, more: str = "", base: str = BASE) -> DesiredOrganization:
    path = folder / "organization.yaml"
    path.write_text(base + dedent(more))
    return render_desired(load_manifest(path))


def refusal(folder: Path, more: str) -> list[str]:
    with pytest.raises(SourceErrors) as caught:
        render(folder, more)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


BASELINE = """\
stacksets:
  - name: baseline
    template: account-baseline
    targets: {root: true}
    parameters: {ExternalId: "${COMPANY}-audit"}
"""


def test_units_come_parents_first_with_their_tags_and_former_paths(tmp_path):
    assert render(tmp_path).units == (
        DesiredUnit(UnitPath("Workloads"), {"Owner": "platform", "Old": None}),
        DesiredUnit(UnitPath("Workloads/Prod"), {}, UnitPath("Apps")),
        DesiredUnit(UnitPath("Quarantine")),
    )


def test_accounts_keep_state_id_and_contacts(tmp_path):
    contacts = "alternate_contacts: {security: {name: A, title: B, email: c@example.com, phone: '1'}, billing: null}"
    desired = render(tmp_path, base=BASE.replace("state: quarantined}", f"state: quarantined, {contacts}}}"))
    shop = desired.accounts[-1]
    assert (shop.name, shop.id, shop.state) == ("Shop", "123456789012", WantedState.QUARANTINED)
    assert shop.unit == "Workloads/Prod"
    assert desired.quarantine_unit == "Quarantine"
    assert shop.contacts == {
        ContactType.SECURITY: Contact("A", "B", "c@example.com", "1"),
        ContactType.BILLING: None,
    }
    assert desired.trusted_access == ("account.amazonaws.com",)


def test_service_that_an_account_administers_gets_trusted_access_first(tmp_path):
    desired = render(
        tmp_path,
        """\
        trusted_access: [cloudtrail.amazonaws.com]
        delegated_administrators:
          - {service: guardduty.amazonaws.com, account: Audit}
          - {service: member.org.stacksets.cloudformation.amazonaws.com, account: Audit}
        """,
    )
    assert desired.trusted_access == ("cloudtrail.amazonaws.com", "guardduty.amazonaws.com")
    assert DelegatedAdministrator("guardduty.amazonaws.com", AccountName("Audit")) in desired.delegated_administrators


def test_policy_text_is_compact_and_targets_are_in_a_fixed_order(tmp_path):
    statement = '{"Effect": "Deny", "Action": "${A}:*", "Resource": "${orgctl:account-id:Audit}"}'
    (tmp_path / "p.json").write_text('{\n  "Version": "2012-10-17", "Statement": ' + statement + "\n}")
    (policy,) = render(
        tmp_path,
        """\
        policies:
          - name: Deny
            type: SERVICE_CONTROL_POLICY
            file: p.json
            variables: {A: s3}
            attach: {root: true, units: [Workloads/Prod, Workloads], accounts: [Shop, Audit]}
        """,
    ).policies
    assert policy.content == (
        '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"${orgctl:account-id:Audit}"}}'
    )
    assert policy.targets == (
        Target(TargetKind.ROOT, ROOT),
        Target(TargetKind.UNIT, "Workloads"),
        Target(TargetKind.UNIT, "Workloads/Prod"),
        Target(TargetKind.ACCOUNT, "Audit"),
        Target(TargetKind.ACCOUNT, "Shop"),
    )


def test_policy_that_aws_manages_has_no_content(tmp_path):
    (policy,) = render(
        tmp_path,
        "policies: [{name: FullAWSAccess, type: SERVICE_CONTROL_POLICY, aws_managed: true, attach: {root: true}}]",
    ).policies
    assert policy.aws_managed
    assert policy.content == ""


def test_guardrail_is_rendered_with_the_manifests_regions_and_protected_principals(tmp_path):
    (policy,) = render(
        tmp_path,
        """\
        policies:
          - name: Regions
            type: SERVICE_CONTROL_POLICY
            guardrail: governed-regions
            parameters: {also_allowed: ["billing:*"]}
        """,
    ).policies
    (statement,) = json.loads(policy.content)["Statement"]
    assert statement["Condition"]["StringNotEquals"] == {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}
    assert "arn:aws:iam::*:role/BreakGlass" in statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert "billing:*" in statement["NotAction"]


def test_catalog_template_gets_its_parameters_and_capabilities_from_orgctl(tmp_path):
    (stackset,) = render(tmp_path, BASELINE).stacksets
    assert stackset.units == (ROOT,)
    assert stackset.regions == ("eu-central-1", "us-east-1")
    assert stackset.settings.capabilities == ("CAPABILITY_NAMED_IAM",)
    assert stackset.settings.auto_deployment is True
    assert stackset.settings.parameters == {
        "AuditAccountId": "${orgctl:account-id:Audit}",
        "ExternalId": "example-audit",
        "HomeRegion": "eu-central-1",
        "LineageAccountId": "${orgctl:account-id:AMI Lineage}",
        "OrganizationId": "${orgctl:organization-id}",
    }


def test_value_of_the_manifest_goes_before_that_of_orgctl(tmp_path):
    own = BASELINE.replace(
        'audit"}', 'audit", AuditAccountId: "${orgctl:account-id:Log Archive}", LogRetentionDays: 90}'
    )
    parameters = render(tmp_path, own).stacksets[0].settings.parameters
    assert parameters["AuditAccountId"] == "${orgctl:account-id:Log Archive}"
    assert parameters["LogRetentionDays"] == "90"


def test_template_that_exists_once_goes_to_the_home_region(tmp_path):
    (stackset,) = render(
        tmp_path,
        "stacksets: [{name: bus, template: lineage-bus, targets: {root: true, only_accounts: [AMI Lineage]}}]",
    ).stacksets
    assert stackset.regions == ("eu-central-1",)
    assert stackset.only_accounts == ("AMI Lineage",)


def test_account_filter_switches_auto_deployment_off_since_aws_would_ignore_the_filter(tmp_path):
    more = BASELINE.replace("{root: true}", "{root: true, except_accounts: [Shop]}")
    (stackset,) = render(tmp_path, more).stacksets
    assert stackset.settings.auto_deployment is False
    assert stackset.except_accounts == ("Shop",)


def test_template_of_the_users_own_goes_out_letter_by_letter_with_all_its_settings(tmp_path):
    text = """\
# mine
Parameters: {Days: {Type: Number}, Names: {Type: CommaDelimitedList, Default: ""}, On: {Type: String, Default: x}}
Resources: {Topic: {Type: "AWS::SNS::Topic"}}
"""
    (tmp_path / "x.yaml").write_text(text)
    (stackset,) = render(
        tmp_path,
        """\
        stacksets:
          - name: mine
            file: x.yaml
            description: why
            targets: {units: [Workloads]}
            regions: [us-east-1]
            parameters: {Days: "${DAYS}", Names: [a, b], On: true}
            overrides: [{units: [Workloads/Prod], accounts: [Shop], regions: [us-east-1], parameters: {Days: 30}}]
            failure_tolerance_percentage: 5
            max_concurrent_percentage: 50
            concurrency_mode: strict
            region_order: sequential
            retain_on_removal: true
            capabilities: [CAPABILITY_IAM]
            tags: {Owner: me, Old: null}
        """,
    ).stacksets
    settings = stackset.settings
    assert settings.template == text
    assert settings.parameters == {"Days": "90", "Names": "a,b", "On": "true"}
    assert (settings.description, settings.capabilities, settings.retain_on_removal) == (
        "why",
        ("CAPABILITY_IAM",),
        True,
    )
    assert stackset.overrides == (
        ParameterOverride({"Days": "30"}, (UnitPath("Workloads/Prod"),), (AccountName("Shop"),), ("us-east-1",)),
    )
    assert stackset.preferences == OperationPreferences(5, 50, soft_failure_tolerance=False, regions_in_parallel=False)
    assert stackset.tags == {"Owner": "me"}


def test_unknown_guardrail_is_told_with_the_nearest(tmp_path):
    more = "policies: [{name: A, type: SERVICE_CONTROL_POLICY, guardrail: quarantin}]"
    assert refusal(tmp_path, more) == [
        f"organization.yaml:{AFTER}:63: unknown guardrail 'quarantin'; did you mean 'quarantine'?"
    ]


def test_guardrail_of_another_type_is_told_with_the_right_one(tmp_path):
    more = "policies: [{name: A, type: TAG_POLICY, guardrail: quarantine}]"
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER}:28: guardrail 'quarantine' is a SERVICE_CONTROL_POLICY, not a TAG_POLICY; "
            "write type: SERVICE_CONTROL_POLICY"
        )
    ]


def test_all_wrong_parameters_of_a_guardrail_are_told_at_once(tmp_path):
    more = """\
    policies:
      - name: A
        type: DECLARATIVE_POLICY_EC2
        guardrail: ec2-account-settings
        parameters:
          http_token: required
          http_put_response_hop_limit: 65
          image_block_public_access: yes_please
      - name: B
        type: SERVICE_CONTROL_POLICY
        guardrail: governed-regions
        parameters:
          regions: [eu-central-1, eu-centrl-1]
          also_allowed: billing
      - name: C
        type: SERVICE_CONTROL_POLICY
        guardrail: deny-leaving-organization
        parameters: {regions: [eu-central-1]}
    """
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER + 5}:19: guardrail 'ec2-account-settings' has no parameter 'http_token'; "
            "did you mean 'http_tokens'?"
        ),
        (
            f"organization.yaml:{AFTER + 6}:36: parameter 'http_put_response_hop_limit' of guardrail "
            "'ec2-account-settings': 65 is no number of hops; write 1 to 64, or -1 for no preference"
        ),
        (
            f"organization.yaml:{AFTER + 7}:34: parameter 'image_block_public_access' of guardrail "
            "'ec2-account-settings' should be 'block_new_sharing' or 'unblocked', not 'yes_please'; it means: "
            "Whether machine images can be newly shared with everybody."
        ),
        (
            f"organization.yaml:{AFTER + 12}:31: parameter 'regions' of guardrail 'governed-regions': "
            "unknown Region 'eu-centrl-1'; did you mean 'eu-central-1'?"
        ),
        (
            f"organization.yaml:{AFTER + 13}:21: parameter 'also_allowed' of guardrail 'governed-regions' "
            "should be a list, not 'billing'; it means: "
            "Further calls that stay open in every Region, such as devicefarm:*."
        ),
        (
            f"organization.yaml:{AFTER + 17}:27: guardrail 'deny-leaving-organization' has no parameter 'regions'; "
            "it takes none"
        ),
    ]


def test_unknown_template_is_told_with_the_nearest(tmp_path):
    more = BASELINE.replace("account-baseline", "acount-baseline")
    assert refusal(tmp_path, more) == [
        f"organization.yaml:{AFTER + 2}:15: unknown template 'acount-baseline'; did you mean 'account-baseline'?"
    ]


def test_parameters_that_are_not_declared_and_those_without_value_are_told(tmp_path):
    more = BASELINE.replace('ExternalId: "${COMPANY}-audit"', "ExternlId: a") + (
        "    overrides: [{units: [Workloads], parameters: {LogRetention: 30}}]\n"
    )
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER + 1}:5: parameter 'ExternalId' of template 'account-baseline' has no value; "
            "choose a text of 8 characters or more for your auditors to present; it is no secret"
        ),
        (
            f"organization.yaml:{AFTER + 4}:29: template 'account-baseline' has no parameter 'ExternlId'; "
            "did you mean 'ExternalId'?"
        ),
        (
            f"organization.yaml:{AFTER + 5}:65: template 'account-baseline' has no parameter 'LogRetention'; "
            "did you mean 'LogRetentionDays'?"
        ),
    ]


def test_parameter_of_a_template_without_any_is_told(tmp_path):
    (tmp_path / "x.yaml").write_text("Parameters: {A: {Type: String}}\nResources: {}\n")
    (tmp_path / "y.yaml").write_text("Resources: {}\n")
    more = """\
    stacksets:
      - {name: x, file: x.yaml, targets: {root: true}}
      - {name: y, file: y.yaml, targets: {root: true}, parameters: {B: 1}}
    """
    assert refusal(tmp_path, more) == [
        f"organization.yaml:{AFTER + 1}:5: parameter 'A' of template 'x.yaml' has no value; write A: under parameters",
        f"organization.yaml:{AFTER + 2}:68: template 'y.yaml' has no parameter 'B'; it has none",
    ]


def test_template_file_that_cannot_be_used_is_told_beside_the_other_faults(tmp_path):
    (tmp_path / "x.yaml").write_text("Resources: [\n")
    more = """\
    policies: [{name: A, type: SERVICE_CONTROL_POLICY, guardrail: x}]
    stacksets: [{name: x, file: x.yaml, targets: {root: true}}]
    """
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER}:63: unknown guardrail 'x'; the guardrails are approval-tags, approved-images, "
            "deny-leaving-organization, ec2-account-settings, encrypted-volumes, governed-regions, protect-governance, "
            "quarantine"
        ),
        (
            "x.yaml:2:1: the file is not YAML: did not find expected node content while parsing a flow node; "
            "correct the line or the one before it"
        ),
    ]


def test_other_regions_for_a_template_that_exists_once_are_told(tmp_path):
    more = """\
    stacksets:
      - name: bus
        template: lineage-bus
        targets: {root: true}
        regions: [us-east-1]
    """
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER + 4}:14: template 'lineage-bus' exists once, in the home Region eu-central-1; "
            "remove regions:"
        )
    ]


def test_values_that_the_template_does_not_take_are_told_with_their_places(tmp_path):
    more = BASELINE.replace(
        'ExternalId: "${COMPANY}-audit"', 'ExternalId: "${DAYS}", AuditAccountId: "12", LogRetentionDays: 91'
    ) + ("    overrides: [{units: [Workloads], parameters: {ExternalId: a secret!}}]\n")
    assert refusal(tmp_path, more) == [
        (
            f"organization.yaml:{AFTER + 4}:30: parameter 'ExternalId' of template 'account-baseline' "
            "has 2 characters; use 8 to 1224"
        ),
        (
            f"organization.yaml:{AFTER + 4}:57: parameter 'AuditAccountId' of template 'account-baseline' "
            "cannot be '12'; twelve digits"
        ),
        (
            f"organization.yaml:{AFTER + 4}:81: parameter 'LogRetentionDays' of template 'account-baseline' "
            "cannot be '91'; its values are 30, 90, 180, 365, 400, 545, 731, 1827, 3653"
        ),
        (
            f"organization.yaml:{AFTER + 5}:63: parameter 'ExternalId' of template 'account-baseline' "
            r"cannot be 'a secret!'; write what matches [\w+=,.@:/-]+"
        ),
    ]


def test_guardrail_that_grew_over_the_quota_is_told(tmp_path):
    calls = ", ".join(f"service-{number}:*" for number in range(1000))
    more = f"""\
    policies:
      - name: Regions
        type: SERVICE_CONTROL_POLICY
        guardrail: governed-regions
        parameters: {{also_allowed: ["{calls.replace(", ", '", "')}"]}}
    """
    (said,) = refusal(tmp_path, more)
    assert re.sub(r"(has|by) [0-9,]+", r"\1 N", said) == (
        f"organization.yaml:{AFTER + 3}:16: the policy has N characters without white space, and AWS allows 10,240 for "
        "a SERVICE_CONTROL_POLICY; shorten it by N or split it into two policies; the shortest text that means the "
        "same has N"
    )
