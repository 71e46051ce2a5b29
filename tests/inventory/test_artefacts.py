"""The sample's templates and scripts: what stands in their place in the accounts, and that it is as it must be.

I1  event bus                 I9  recorder, channel           I17 alarms
I2  SCPs, full                I10 compliance dashboard        I18 Security Hub's insights
I3  SCPs, minimal             I11 Neptune cluster             I19 custom actions and their function
I4  SCPs, basic               I12 Neptune's groups, network   I20 alarm at severe findings
I5  Config rules on images    I13 topics                      I21 REST API
I6  Config rule on instances  I14 mails                       I22 Cognito
I7  Config rules on buckets   I15 chat, dead letters          I23 usage plan and key
I8  Config bucket             I16 topics' key                 I24 API's log
                                                              I25 API's dashboard and outputs
I26 script for the organization   I27 script for the shared account   I28 script for the child account
I29 web firewall                  I30 audit trail that cannot be changed

(the last two are claims of the sample's threat model, for which it has nothing).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.load import load_manifest
from org.sandbox.scenarios.stage import DEVELOPER
from stacksets.desired import render_desired
from stacksets.functions import FUNCTIONS
from stacksets.lineage_stacks import api_document, lineage_stacks
from stacksets.templates import lineage_api
from stacksets.templates.lineage_api import ACCESS_LOG, STAGE
from stacksets.templates.names import (
    ALERT_TOPIC,
    ASSESS_FUNCTION,
    CENTRAL_BUS,
    COMPLIANCE_TOPIC,
    ERROR_TOPIC,
    EVALUATIONS_ROLE,
    NOTIFY_FUNCTION,
    READER_ROLE,
)
from tests.support.deployed import ABROAD, HOME, LINEAGE, MANIFEST, Company
from tests.support.functions import messages
from tests.support.rollout import Rollout

pytestmark = pytest.mark.xdist_group("company")

TOPICS = (COMPLIANCE_TOPIC, ALERT_TOPIC, ERROR_TOPIC)
ASSESSED = ("compliance", "contradiction", "coverage")
"""The families of findings that the assessment tells."""
IMAGE_RULES = {
    "orgctl-ami-required-tags",
    "orgctl-ami-approval-status",
    "orgctl-ami-security-scan-status",
    "orgctl-ami-naming-convention",
    "orgctl-ami-lineage-verification",
}


def policies(company: Company) -> dict[str, list[dict[str, Any]]]:
    """The statements of the organization's own SCPs that are attached to something."""
    organizations: Any = company.client("organizations", company.management)
    found = {}
    for page in organizations.get_paginator("list_policies").paginate(Filter="SERVICE_CONTROL_POLICY"):
        for each in page["Policies"]:
            if organizations.list_targets_for_policy(PolicyId=each["Id"])["Targets"]:
                content = organizations.describe_policy(PolicyId=each["Id"])["Policy"]["Content"]
                found[each["Name"]] = json.loads(content)["Statement"]
    return found


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def alarms(company: Company) -> dict[str, dict[str, Any]]:
    pages = company.client("cloudwatch").get_paginator("describe_alarms").paginate()
    return {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}


def dashboard(company: Company, name: str) -> str:
    return str(company.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])


def test_i1_events_of_every_account_reach_the_bus_and_it_takes_none_from_strangers(company: Company) -> None:
    bus = company.client("events").describe_event_bus(Name=CENTRAL_BUS)
    (statement,) = [each for each in json.loads(bus["Policy"])["Statement"] if each["Effect"] == "Allow"]
    assert statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == company.place.organization_id
    for account in (company.management, LINEAGE, "Shop", "Image Factory"):
        for region in (HOME, ABROAD):
            events = company.client("events", account, region)
            rules = [each for each in events.list_rules()["Rules"] if each["Name"].startswith("orgctl-forward-")]
            assert len(rules) == 6, (account, region)
            for rule in rules:
                (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
                assert target["Arn"] == bus["Arn"]
                assert f":role/orgctl-forward-events-{region}" in target["RoleArn"]


def test_i2_images_that_are_not_approved_are_not_launched_and_only_the_approver_approves(company: Company) -> None:
    shop = company.stage.ec2("Shop", DEVELOPER)
    launch = {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    assert refusal(shop.run_instances, ImageId=company.ids["derived"], **launch) == "UnauthorizedOperation"
    tag = [{"Key": "ec2:SharedTag/status", "Value": "approved"}]
    assert refusal(shop.create_tags, Resources=[company.ids["derived"]], Tags=tag) == "UnauthorizedOperation"
    shop.terminate_instances(
        InstanceIds=[shop.run_instances(ImageId=company.ids["golden"], **launch)["Instances"][0]["InstanceId"]]
    )
    exempt = json.dumps(policies(company)["ApprovedImages"])
    assert "role/BreakGlass" in exempt, "an emergency is an exemption of the denial, and no Allow beside it"
    assert '"amazon"' in exempt
    assert '"aws-marketplace"' in exempt


def test_i3_the_smallest_policy_that_binds_images_names_no_key_that_does_not_exist(company: Company) -> None:
    for name, statements in policies(company).items():
        text = json.dumps(statements)
        assert "ec2:ImageTag" not in text, name
        assert all(each["Effect"] in ("Deny", "Allow") for each in statements)
    assert {"ApprovedImages", "ApprovalTags", "ProtectGovernance", "Quarantine"} <= set(policies(company))


def test_i4_policies_are_attached_and_do_not_only_allow_everything(company: Company) -> None:
    own = {name: each for name, each in policies(company).items() if name != "FullAWSAccess"}
    assert own
    for name, statements in own.items():
        assert any(each["Effect"] == "Deny" for each in statements), name


def test_i5_rules_on_images_are_in_every_account_and_run_the_lineage_accounts_function(company: Company) -> None:
    made = company.client("config").describe_organization_config_rules()["OrganizationConfigRules"]
    rules = {each["OrganizationConfigRuleName"]: each["OrganizationCustomRuleMetadata"] for each in made}
    assert set(rules) >= IMAGE_RULES
    for name in IMAGE_RULES:
        assert rules[name]["OrganizationConfigRuleTriggerTypes"] == ["ScheduledNotification"]
        assert rules[name]["LambdaFunctionArn"] == company.outputs["ConfigRulesFunctionArn"]
    for account in (company.management, LINEAGE, "Shop", "Image Factory"):
        names = [
            each["ConfigRuleName"] for each in company.client("config", account).describe_config_rules()["ConfigRules"]
        ]
        for rule in IMAGE_RULES:
            assert any(rule in each for each in names), (account, rule)


def test_i6_the_rule_on_instances_runs_when_one_changes(company: Company) -> None:
    made = company.client("config").describe_organization_config_rules(
        OrganizationConfigRuleNames=["orgctl-instance-ami-compliance"]
    )
    (rule,) = [each["OrganizationCustomRuleMetadata"] for each in made["OrganizationConfigRules"]]
    assert "ConfigurationItemChangeNotification" in rule["OrganizationConfigRuleTriggerTypes"]
    assert rule["ResourceTypesScope"] == ["AWS::EC2::Instance"]


def test_i8_the_config_bucket_is_private_versioned_and_grows_cold(company: Company) -> None:
    s3 = company.client("s3", "Log Archive")
    (channel,) = company.client("config", "Shop").describe_delivery_channels()["DeliveryChannels"]
    bucket = channel["s3BucketName"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    moves = {each["StorageClass"]: each["Days"] for rule in rules for each in rule.get("Transitions", [])}
    assert moves == {"STANDARD_IA": 90, "GLACIER": 180, "DEEP_ARCHIVE": 365}


def test_i9_every_account_has_a_recorder_that_runs_and_delivers(company: Company) -> None:
    for account in (company.management, LINEAGE, "Shop", "Image Factory"):
        config = company.client("config", account)
        (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        assert status["recording"] is True
        assert len(config.describe_delivery_channels()["DeliveryChannels"]) == 1


def test_i10_the_compliance_dashboard_shows_what_the_functions_count(company: Company) -> None:
    body = dashboard(company, "AMI-Compliance-Dashboard")
    for metric in ("findings_open", "findings_severe", *(row.name for row in FUNCTIONS if row.name != NOTIFY_FUNCTION)):
        assert metric in body


def test_i11_the_graph_is_encrypted_asks_for_identity_is_audited_kept_and_hard_to_delete(company: Company) -> None:
    (cluster,) = company.client("neptune").describe_db_clusters()["DBClusters"]
    assert cluster["StorageEncrypted"] is True
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    assert cluster["DeletionProtection"] is True
    assert cluster["BackupRetentionPeriod"] >= 7
    assert cluster["EnabledCloudwatchLogsExports"] == ["audit"]
    (key,) = [company.client("kms").describe_key(KeyId=cluster["KmsKeyId"])["KeyMetadata"]]
    assert key["KeyManager"] == "CUSTOMER"
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 1.0, "MaxCapacity": 16.0}


def test_i12_the_graphs_groups_fit_its_engine_and_its_network_is_for_the_functions_alone(company: Company) -> None:
    neptune, ec2 = company.client("neptune"), company.client("ec2")
    (cluster,) = neptune.describe_db_clusters()["DBClusters"]
    name = cluster["DBClusterParameterGroup"]
    (group,) = neptune.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)[
        "DBClusterParameterGroups"
    ]
    major = ".".join(cluster["EngineVersion"].split(".")[:2])
    assert group["DBParameterGroupFamily"] == f"neptune{major}"
    (graph,) = ec2.describe_security_groups(GroupIds=[company.outputs["GraphSecurityGroupId"]])["SecurityGroups"]
    (way,) = graph["IpPermissions"]
    assert (way["FromPort"], way["ToPort"], way["IpRanges"]) == (8182, 8182, [])
    assert [each["GroupId"] for each in way["UserIdGroupPairs"]] == [company.outputs["FunctionsSecurityGroupId"]]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert {each["ServiceName"].rpartition(".")[2] for each in endpoints} >= {
        "s3",
        "sts",
        "sns",
        "securityhub",
        "config",
    }


def test_i13_there_are_three_topics_and_functions_publish_to_those_that_are_theirs(company: Company) -> None:
    topics = {each["TopicArn"].rpartition(":")[2] for each in company.client("sns").list_topics()["Topics"]}
    assert topics >= set(TOPICS)
    lambdas = company.client("lambda")
    assess = lambdas.get_function_configuration(FunctionName="orgctl-lineage-assess")["Environment"]["Variables"]
    assert assess["ORGCTL_COMPLIANCE_TOPIC"].endswith(COMPLIANCE_TOPIC)
    assert assess["ORGCTL_ALERT_TOPIC"].endswith(ALERT_TOPIC)


def test_i14_whoever_is_in_the_manifest_gets_mails_by_severity(company: Company) -> None:
    sent = company.stage.control.sent()
    assert {each["endpoint"] for each in sent} == {"security@example.com", "platform@example.com"}
    alerts = [each for each in sent if each["endpoint"] == "security@example.com"]
    assert any("is not approved" in each["message"] for each in alerts), [each["subject"] for each in alerts]
    assert not any(each["subject"].startswith(("LOW", "MEDIUM")) for each in sent)


def test_i15_notices_go_to_the_chat_and_what_it_does_not_get_is_kept(company: Company) -> None:
    """Nobody has put the webhook's address into its secret here, so that no notice can be delivered."""
    subscriptions = company.client("sns").list_subscriptions()["Subscriptions"]
    chat = {each["TopicArn"].rpartition(":")[2] for each in subscriptions if each["Protocol"] == "lambda"}
    assert chat == set(TOPICS)
    failed = messages(company.there.session, f"{NOTIFY_FUNCTION}-failures")
    assert failed
    lost = [json.loads(each["Body"])["requestPayload"]["Records"][0]["Sns"] for each in failed]
    assert any(each["Subject"] == "Compliance of machine images" for each in lost)
    variables = company.client("lambda").get_function_configuration(FunctionName=NOTIFY_FUNCTION)["Environment"]
    assert "https://" not in json.dumps(variables), "the address is in a secret alone"


def test_i16_topics_are_under_a_key_with_which_alarms_can_publish(company: Company) -> None:
    for topic in TOPICS:
        arn = f"arn:aws:sns:{HOME}:{company.lineage}:{topic}"
        key = company.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"]
        policy = company.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        assert "cloudwatch.amazonaws.com" in policy


def test_i17_each_function_has_alarms_that_reach_people(company: Company) -> None:
    found = alarms(company)
    for row in FUNCTIONS:
        for kind in ("errors", "throttles"):
            assert found[f"{row.name}-{kind}"]["AlarmActions"] == [company.outputs["ErrorTopicArn"]], row.name
    before = len(company.stage.control.sent())
    company.client("cloudwatch").set_alarm_state(
        AlarmName="orgctl-lineage-ingest-errors", StateValue="ALARM", StateReason="a test"
    )
    told = company.stage.control.sent()[before:]
    assert {each["endpoint"] for each in told} == {"security@example.com", "platform@example.com"}
    assert all("orgctl-lineage-ingest-errors" in each["subject"] for each in told)


def test_i18_insights_group_the_findings_as_the_samples_do(company: Company) -> None:
    hub = company.client("securityhub")
    insights = {each["Name"]: each for each in hub.get_insights()["Insights"]}
    assert {name: each["GroupByAttribute"] for name, each in insights.items()} == {
        "AMI Compliance Overview": "ComplianceStatus",
        "AMI Security Findings": "SeverityLabel",
        "AMI Lineage Issues": "ResourceType",
    }
    for name, each in insights.items():
        found = hub.get_insight_results(InsightArn=each["InsightArn"])["InsightResults"]["ResultValues"]
        assert sum(row["Count"] for row in found) > 0, name


@pytest.mark.parametrize("action", ["ApproveAMI", "QuarantineAMI", "AnalyzeAMILineage"])
def test_i19_a_click_on_a_custom_action_reaches_its_function_and_people(company: Company, action: str) -> None:
    targets = company.client("securityhub").describe_action_targets()["ActionTargets"]
    assert {each["Name"] for each in targets} == {"Approve AMI", "Quarantine AMI", "Analyze AMI Lineage"}
    about = f"aws/{HOME}/image/{company.ids['laundered']}"
    digest, before = company.digest(), len(company.stage.control.sent())
    company.stage.control.act_on_findings(action, [f"orgctl/compliance/approval/{about}"])
    told = company.stage.control.sent()[before:]
    assert any(company.ids["laundered"] in each["subject"] + each["message"] for each in told)
    asked = action != "AnalyzeAMILineage"
    assert (company.digest() != digest) is asked, "what is asked for is kept; what is only looked at is not"
    tags = (
        company.client("ec2", "Pipelines")
        .describe_images(ImageIds=[company.ids["laundered"]])["Images"][0]
        .get("Tags", [])
    )
    assert tags == [], "one click approves nothing"


def test_i20_more_than_five_severe_findings_raise_an_alarm(company: Company, capfd: pytest.CaptureFixture[str]) -> None:
    alarm = alarms(company)["orgctl-lineage-severe-findings"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (5.0, "GreaterThanThreshold")
    company.start_anew(ASSESS_FUNCTION)
    company.run("assess")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith('{"_aws"')]
    (counted,) = [each for each in lines if each["service"] == alarm["Dimensions"][0]["Value"]]
    severe = sum(
        len(company.findings(GeneratorId=f"orgctl/{each}/", SeverityLabel=label))
        for each in ASSESSED
        for label in ("HIGH", "CRITICAL")
    )
    assert counted[alarm["MetricName"]] == [float(severe)]
    assert severe > 5


def test_i21_the_api_is_signed_for_and_for_the_organization_alone(company: Company) -> None:
    api = company.client("apigateway").get_rest_api(restApiId=company.outputs["ApiId"])
    assert api["endpointConfiguration"]["types"] == [company.place.manifest.lineage.api.access.upper()]
    policy = json.loads(api["policy"].replace("\\", "")) if isinstance(api["policy"], str) else api["policy"]
    assert company.place.organization_id in json.dumps(policy)
    (stage,) = company.client("apigateway").get_stages(restApiId=company.outputs["ApiId"])["item"]
    assert stage["stageName"] == STAGE == "v1"


def test_i22_callers_may_be_users_of_a_cognito_pool_instead() -> None:
    arn = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abc"
    body = lineage_api.render(api_document(), "regional", arn).to_dict()["Resources"]["Rest"]["Properties"]["Body"]
    scheme = body["components"]["securitySchemes"]["callers"]
    assert scheme["x-amazon-apigateway-authorizer"] == {"type": "cognito_user_pools", "providerARNs": [arn]}
    for path, verbs in body["paths"].items():
        for verb, method in verbs.items():
            assert method["security"] == [{"callers": []}], (path, verb)


def test_i24_the_api_writes_an_access_log_that_is_kept_and_encrypted(company: Company) -> None:
    company.ask(f"/ami/{company.ids['golden']}/lineage")
    logs = company.client("logs")
    (group,) = logs.describe_log_groups(logGroupNamePrefix=ACCESS_LOG)["logGroups"]
    assert group["retentionInDays"] >= 30
    assert group["kmsKeyId"] == company.outputs["FunctionsKeyArn"]
    lines = [
        json.loads(each["message"])
        for stream in logs.describe_log_streams(logGroupName=ACCESS_LOG)["logStreams"]
        for each in logs.get_log_events(logGroupName=ACCESS_LOG, logStreamName=stream["logStreamName"])["events"]
    ]
    assert {"status": "200", "resource": "/api/v1/ami/{ami_id}/lineage"}.items() <= lines[-1].items()
    assert lines[-1]["caller"].endswith(":user/analyst")
    assert company.ids["golden"] not in json.dumps(lines), "what a caller writes does not come into the log"


def test_i25_the_api_has_a_dashboard_and_tells_where_it_is(company: Company) -> None:
    assert company.outputs["ApiId"] in dashboard(company, "AMI-Lineage-API-Dashboard") + company.outputs["ApiUrl"]
    assert re.fullmatch(
        rf"https://{company.outputs['ApiId']}\.execute-api\.{HOME}\.amazonaws\.com/v1", company.outputs["ApiUrl"]
    )
    assert company.outputs["DashboardURL"].endswith("name=AMI-Lineage-API-Dashboard")
    assert "5XXError" in dashboard(company, "AMI-Lineage-API-Dashboard")


def test_i26_the_organization_is_as_the_manifest_says(company: Company) -> None:
    organizations = company.client("organizations", company.management)
    administrators = organizations.list_delegated_administrators(
        ServicePrincipal="config-multiaccountsetup.amazonaws.com"
    )["DelegatedAdministrators"]
    assert [each["Name"] for each in administrators] == [LINEAGE]
    assert set(policies(company)) >= {
        each.name for each in load_manifest(MANIFEST).manifest.policies if each.type == "SERVICE_CONTROL_POLICY"
    }


def test_i27_the_shared_account_has_every_stack_and_function(company: Company) -> None:
    names = {stack.stack_name for stack in lineage_stacks(company.place.manifest)}
    stacks = company.client("cloudformation").describe_stacks()["Stacks"]
    done = {each["StackName"]: each["StackStatus"] for each in stacks}
    assert {done[name] for name in names} == {"CREATE_COMPLETE"}
    functions = company.client("lambda").list_functions()["Functions"]
    assert {each["FunctionName"] for each in functions} == {row.name for row in FUNCTIONS}
    assert len({each["Role"] for each in functions}) == len(FUNCTIONS)


def test_i28_every_account_lets_two_roles_in_that_may_little_and_only_with_the_external_id(company: Company) -> None:
    for account in (company.management, LINEAGE, "Shop", "Image Factory", "Pipelines"):
        iam = company.client("iam", account)
        for name in (READER_ROLE, EVALUATIONS_ROLE):
            trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
            (statement,) = trust
            assert "sts:ExternalId" in statement["Condition"]["StringEquals"], (account, name)
            assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
            (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            assert not re.search(r'"(\*|[a-z0-9]+:\*)"', json.dumps([s["Action"] for s in document["Statement"]]))


def test_i29_a_web_firewall_stands_before_the_api(company: Company) -> None:
    waf = company.client("wafv2")
    arn = f"arn:aws:apigateway:{HOME}::/restapis/{company.outputs['ApiId']}/stages/{STAGE}"
    acl = waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]
    rules = json.dumps(acl["Rules"])
    for part in ("RateBasedStatement", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"):
        assert part in rules


def test_i30_what_is_in_the_archive_cannot_be_changed_or_deleted(company: Company) -> None:
    s3, bucket = company.client("s3"), company.outputs["ArchiveBucket"]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert {"Mode": "GOVERNANCE", "Days": 2555}.items() <= lock["Rule"]["DefaultRetention"].items()
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (version, *_) = s3.list_object_versions(Bucket=bucket, MaxKeys=5)["Versions"]
    assert (
        refusal(s3.delete_object, Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"]) == "AccessDenied"
    )


def test_weakness_13_a_policy_that_changes_in_the_manifest_changes_in_the_organization(company: Company) -> None:
    desired = render_desired(load_manifest(MANIFEST))
    rollout = Rollout(company.connection.session)
    wanted = replace(
        desired,
        policies=tuple(
            replace(each, content=each.content.replace("DenyLargeInstances", "DenyLargerInstances"))
            for each in desired.policies
        ),
    )
    assert wanted != desired
    for each, sid in ((wanted, "DenyLargerInstances"), (desired, "DenyLargeInstances")):
        rollout.bootstrap(each)
        assert [statement["Sid"] for statement in policies(company)["SandboxInstances"]] == [sid]


def test_weakness_40_nobody_comes_in_by_a_role_but_the_function_that_it_is_for(company: Company) -> None:
    """Not the lineage account's administrator, with the external id or without; and the function has come in."""
    sts, shop = company.client("sts"), company.id_of("Shop")
    for role in (READER_ROLE, EVALUATIONS_ROLE):
        arn = {"RoleArn": f"arn:aws:iam::{shop}:role/{role}", "RoleSessionName": "test"}
        for given in ({}, {"ExternalId": "example-audit-7d2e"}):
            assert refusal(sts.assume_role, **arn, **given) == "AccessDenied"
    used = [
        each
        for each in company.client("logs", "Shop").describe_log_groups()["logGroups"]
        if each["logGroupName"] == "/orgctl/governance"
    ]
    assert used
    said = company.ask(f"/ami/{company.ids['derived']}/security-context").said["reasons"]
    assert not [each for each in said if each["why"] == "unread" and shop in each["about"]]


def test_weakness_41_config_delivers_to_its_bucket_and_no_lock_is_for_ever_by_default(company: Company) -> None:
    (channel,) = company.client("config", "Shop").describe_delivery_channels()["DeliveryChannels"]
    s3 = company.client("s3", "Log Archive")
    assert refusal(s3.get_object_lock_configuration, Bucket=channel["s3BucketName"]) == (
        "ObjectLockConfigurationNotFoundError"
    )
    archive = company.client("s3").get_object_lock_configuration(Bucket=company.outputs["ArchiveBucket"])
    assert archive["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] != "COMPLIANCE"


def test_i7_rules_on_buckets_are_aws_own_and_made_where_they_are_asked_for(company: Company) -> None:
    """Last: it changes a stack."""
    cloudformation, name = company.client("cloudformation"), "orgctl-lineage-compliance"
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    given = [{"ParameterKey": each["ParameterKey"], "UsePreviousValue": True} for each in stack["Parameters"]]
    wanted = [each for each in given if each["ParameterKey"] != "StorageRules"]
    cloudformation.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=[*wanted, {"ParameterKey": "StorageRules", "ParameterValue": "yes"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    assert cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"
    made = company.client("config").describe_organization_config_rules()["OrganizationConfigRules"]
    sources = {
        each["OrganizationConfigRuleName"]: each["OrganizationManagedRuleMetadata"]["RuleIdentifier"]
        for each in made
        if "OrganizationManagedRuleMetadata" in each
    }
    assert sources == {
        "orgctl-s3-bucket-object-lock-enabled": "S3_BUCKET_DEFAULT_LOCK_ENABLED",
        "orgctl-s3-bucket-versioning-enabled": "S3_BUCKET_VERSIONING_ENABLED",
    }
