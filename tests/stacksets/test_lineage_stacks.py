"""The stacks of the lineage account: that CloudFormation takes them, that they fit together, and who may do what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cli.demo import example_manifest
from cli.deploy.lineage import Step
from config.load import load_manifest
from config.manifest import ApiSettings, Manifest
from org.errors import OrgctlError
from org.ids import AccountId, Region
from org.policy.catalog import Catalog
from org.quotas import load_quotas
from stacksets.catalog import template_body, templates
from stacksets.functions import FUNCTIONS
from stacksets.lineage_stacks import api_document, lineage_stacks
from stacksets.lint import lint_template
from stacksets.templates import lineage_api
from stacksets.templates.lineage_network import ENDPOINTS
from tests.bench import price
from tests.support.golden import assert_golden
from tests.support.lineage_stacks import listed, manifest, of_type, stacks, statements, template

NAMES = tuple(stacks())
KNOWN_TO_THE_DEPLOYMENT = {"CodeBucket", "CodeKey", "OrganizationId", "S3PrefixList", "Settings", "CallerAccountIds"}
OTHERS = {name: entry.render() for name, entry in templates().items()}
FUNCTION, KEY = "AWS::Lambda::Function", "AWS::KMS::Key"
CATALOG = Catalog()
EVERY = {**{name: each.template for name, each in stacks().items()}, **OTHERS}
POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abcdefghi"
WIDELY = {
    **EVERY,
    "lineage-api for a pool": lineage_api.render(api_document(), "regional", POOL, key_required=True),
}
"""Also as other settings make them."""


@pytest.mark.parametrize("name", NAMES)
def test_template_is_the_one_that_was_reviewed(name):
    assert_golden(f"templates/{name}.json", template(name))


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_says_nothing_of_the_template(name):
    assert lint_template(template_body(stacks()[name].template), ("eu-central-1", "us-east-1")) == ()


def test_cfn_lint_says_nothing_of_the_api_for_users_of_a_pool_with_keys():
    assert lint_template(template_body(WIDELY["lineage-api for a pool"]), ("eu-central-1",)) == ()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lineage-api"])
def test_template_is_small_enough_to_be_given_inline(name):
    assert len(template_body(stacks()[name].template).encode()) <= load_quotas().stacksets.template_bytes


def test_every_parameter_comes_from_the_manifest_an_earlier_stack_or_the_deployment():
    outputs: set[str] = set()
    for stack in stacks().values():
        declared = stack.template.to_dict().get("Parameters", {})
        assert set(stack.parameters) <= set(declared), stack.name
        required = {each for each, said in declared.items() if "Default" not in said}
        assert required - set(stack.parameters) - outputs - KNOWN_TO_THE_DEPLOYMENT == set(), stack.name
        outputs |= set(stack.template.to_dict().get("Outputs", {}))


def with_parameters(**chosen: str | int) -> Manifest:
    asked = manifest()
    return asked.model_copy(update={"lineage": asked.lineage.model_copy(update={"parameters": chosen})})


def test_a_parameter_of_the_manifest_goes_to_every_stack_that_has_it_and_to_no_other():
    chosen = with_parameters(SubnetRanges="10.255.0.0/26,10.255.0.64/26", LogRetentionDays=731)
    for stack in lineage_stacks(chosen):
        declared = stack.template.to_dict()["Parameters"]
        assert (stack.parameters.get("LogRetentionDays") == "731") == ("LogRetentionDays" in declared)
        ranges = stack.parameters.get("SubnetRanges")
        assert ranges == ("10.255.0.0/26,10.255.0.64/26" if stack.name == "lineage-network" else None)


@pytest.mark.parametrize(
    ("chosen", "refusal"),
    [
        ({"StorageRule": "yes"}, r"lineage\.parameters: no stack takes .*StorageRule .*; did you mean .*StorageRules"),
        ({"LayerArn": ""}, "no stack takes a parameter LayerArn"),  # an earlier stack says it
        ({"LayerKey": "x"}, "no stack takes a parameter LayerKey"),
        ({"MinCapacity": 2}, "no stack takes a parameter MinCapacity"),  # the manifest has a key for it
        ({"ExcludedAccounts": "1"}, "no stack takes a parameter ExcludedAccounts"),  # so has it
        ({"SubnetIds": "subnet-1"}, "no stack takes a parameter SubnetIds"),
        ({"StorageRules": "maybe"}, r"lineage\.parameters\.StorageRules: cannot be 'maybe'; "),
        ({"RequestsPerSecond": 0}, r"lineage\.parameters\.RequestsPerSecond: is 0; it must be at least 1"),
    ],
)
def test_a_parameter_that_cannot_be_chosen_or_not_so_is_refused(chosen, refusal):
    with pytest.raises(OrgctlError, match=refusal):
        lineage_stacks(with_parameters(**chosen))


def test_no_two_stacks_have_an_output_of_the_same_name():
    names = [name for stack in stacks().values() for name in stack.template.to_dict().get("Outputs", {})]
    assert sorted(names) == sorted(set(names))


def stack_of(row):
    return next(each for each in stacks().values() if row.title in each.template.resources)


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_every_function_has_a_role_a_log_and_alarms_of_its_own(row):
    resources = stack_of(row).template.to_dict()["Resources"]
    function = resources[row.title]["Properties"]
    assert function["FunctionName"] == row.name
    assert function["Role"] == {"Fn::GetAtt": [f"{row.title}Role", "Arn"]}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{row.title}Log"}}
    assert resources[f"{row.title}Log"]["Properties"].keys() == {"KmsKeyId", "LogGroupName", "RetentionInDays"}
    assert ("VpcConfig" in function) == row.in_network
    assert (f"{row.title}Failures" in resources) == row.asynchronous
    assert {f"{row.title}Errors", f"{row.title}Throttles"} <= resources.keys()
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_weakness_35_no_two_functions_share_a_role():
    roles = [each["Role"]["Fn::GetAtt"][0] for name in NAMES for each in of_type(template(name), FUNCTION).values()]
    assert len(roles) == len(set(roles))
    assert {f"{row.title}Role" for row in FUNCTIONS} == set(roles)


def wildcards(statement: dict) -> Iterator[tuple[str, str]]:
    """Each that a statement has, with what it is: all of a service's actions or resources, any account, anybody."""
    for action in listed(statement["Action"]):
        if "*" in action:
            yield action, "action"
    for place in listed(statement.get("Resource", [])):
        text = place.get("Fn::Sub", "") if isinstance(place, dict) else place
        *head, account, rest = [*re.sub(r"\$\{[^}]*\}", "x", text).split(":", 5), "", ""][:6]
        of_all = re.fullmatch(r"([\w-]+[/:])?\*", rest) and head[2:3] != ["s3"]
        if text == "*" or "*" in account or of_all:
            yield text, "resource"
    if statement.get("Principal") in ("*", {"AWS": "*"}) and not statement.get("Condition"):
        yield "*", "principal"


@pytest.mark.parametrize("name", WIDELY)
def test_no_wildcard_stands_without_its_reason(name):
    """Beside it, in Metadata.Reasons: by the statement's Sid, or by the wildcard; in a key's policy * is the key."""
    for title, resource in WIDELY[name].to_dict()["Resources"].items():
        reasons = resource.get("Metadata", {}).get("Reasons", {})
        for each in statements(resource):
            if each["Effect"] == "Deny":
                continue
            for wild, kind in wildcards(each):
                of_key = "Resource" if resource["Type"] == KEY and kind == "resource" else wild
                assert {each["Sid"], of_key} & reasons.keys(), (title, each["Sid"], wild)
        for policy in resource.get("Properties", {}).get("ManagedPolicyArns", []):
            arn = policy.get("Fn::Sub", "") if isinstance(policy, dict) else policy
            assert arn.rpartition("/")[2] in reasons, (title, policy)


def test_a_wildcard_is_seen_where_there_is_one():
    say = {"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/events/*"}
    assert list(wildcards(say)) == []
    assert list(wildcards({**say, "Action": ["s3:*", "s3:Get*"]})) == [("s3:*", "action"), ("s3:Get*", "action")]
    for place in ("*", "arn:aws:iam::*:role/a", "arn:aws:sqs:eu-central-1:111122223333:*", "arn:aws:ec2:*::image/*"):
        assert list(wildcards({**say, "Resource": place})) == [(place, "resource")]
    assert list(wildcards({**say, "Resource": {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/a"}}))
    assert list(wildcards({**say, "Principal": "*"})) == [("*", "principal")]


@pytest.mark.parametrize("name", EVERY)
def test_every_action_of_a_policy_exists(name):
    for each in statements(EVERY[name].to_dict()["Resources"]):
        for action in listed(each["Action"]):
            assert "*" in action or CATALOG.find_action(action) is not None, action


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_role_is_no_wider_than_aws_can_say(row):
    """`*` only for calls of which AWS defines no resource, or some of which have none."""
    for need in row.needs:
        if "*" in need.resources:
            entries = [CATALOG.find_action(action) for action in need.actions]
            assert all(entry is not None and not entry.resources for entry in entries), need


@pytest.mark.parametrize("name", EVERY)
def test_every_service_that_takes_a_role_is_bound_to_the_account(name):
    for title, role in of_type(EVERY[name].to_dict(), "AWS::IAM::Role").items():
        for each in role["AssumeRolePolicyDocument"]["Statement"]:
            keys = {key for condition in each.get("Condition", {}).values() for key in condition}
            if each["Principal"] == {"Service": "apigateway.amazonaws.com"}:
                # AWS documents the trust without, and API Gateway refuses a role that it cannot take.
                assert title == "GatewayLogRole"
            elif "Service" in each["Principal"]:
                assert "aws:SourceAccount" in keys, title
            else:
                assert {"sts:ExternalId", "aws:PrincipalOrgID", "aws:PrincipalArn"} <= keys, title


@pytest.mark.parametrize("name", EVERY)
def test_no_service_acts_for_strangers(name):
    """What a service may do is bound to the account, the organization, a resource, or what is encrypted."""
    for title, resource in EVERY[name].to_dict()["Resources"].items():
        for each in statements(resource):
            if (
                each["Effect"] == "Deny"
                or not isinstance(each.get("Principal"), dict)
                or "Service" not in each["Principal"]
                or title == "GatewayLogRole"  # which nobody but this account can hand to API Gateway
            ):
                continue
            keys = {key for condition in each.get("Condition", {}).values() for key in condition}
            bound = {"aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID"} & keys
            bound |= {key for key in keys if key.startswith("kms:EncryptionContext:")}
            # That call has no context at all, and tells what the key is called.
            assert bound or each["Action"] == "kms:DescribeKey", (title, each)


def test_keys_are_used_by_those_services_alone_that_encrypt_with_them():
    logs = {"logs.amazonaws.com", "logs.x.amazonaws.com"}
    used = {
        title: {
            re.sub(r"\$\{[^}]*\}", "x", service["Fn::Sub"]) if isinstance(service, dict) else service
            for each in key["KeyPolicy"]["Statement"]
            for service in listed(each["Principal"].get("Service", []))
        }
        for rendered in EVERY.values()
        for title, key in of_type(rendered.to_dict(), KEY).items()
    }
    assert used == {
        "CentralBusKey": {"events.amazonaws.com"},
        "FunctionsKey": logs | {"events.amazonaws.com", "sns.amazonaws.com"},
        "GraphKey": logs,
        "LineageKey": {"events.amazonaws.com"},
        "NoticesKey": {"cloudwatch.amazonaws.com", "events.amazonaws.com"},
    }


QUEUE_POLICY = "AWS::SQS::QueuePolicy"


def dead_letters(rendered: dict) -> Iterator[tuple[str, str, str]]:
    """Who sends what it could not deliver where: the service, the end of its ARN, and the queue."""
    for rule in of_type(rendered, "AWS::Events::Rule").values():
        bus = f"{rule['EventBusName']['Ref']}/" if "EventBusName" in rule else ""
        for target in rule["Targets"]:
            yield (
                "events.amazonaws.com",
                f"rule/{bus}{rule['Name']}",
                target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0],
            )
    for each in of_type(rendered, "AWS::SNS::Subscription").values():
        if each["Protocol"] == "lambda":
            topic = rendered["Resources"][each["TopicArn"]["Ref"]]["Properties"]["TopicName"]
            yield "sns.amazonaws.com", f":{topic}", each["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_rule_or_a_topic_cannot_deliver_is_kept_and_seen(name):
    rendered = template(name)
    policies = {each["Queues"][0]["Ref"]: each for each in of_type(rendered, QUEUE_POLICY).values()}
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in of_type(rendered, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    }
    for service, end, queue in dead_letters(rendered):
        admitted = [
            source["Fn::Sub"].replace("${CentralBusName}", "CentralBusName")
            for each in policies[queue]["PolicyDocument"]["Statement"]
            if each["Effect"] == "Allow" and each["Principal"] == {"Service": service}
            for source in listed(each["Condition"]["ArnEquals"]["aws:SourceArn"])
        ]
        assert any(each.endswith(end) for each in admitted), (end, admitted)
        assert queue in watched


def test_every_way_that_nobody_waits_for_is_looked_at():
    ways = [end for name in NAMES for _, end, _ in dead_letters(template(name))]
    rules = {"assess", "actions", "reconcile-plan", "graph-events"}
    assert {f"rule/orgctl-lineage-{each}" for each in rules} < set(ways)
    assert sum(each.startswith(":orgctl-ami-") for each in ways) == 3


@pytest.mark.parametrize("name", EVERY)
def test_whoever_may_call_a_function_is_named(name):
    """Weakness 36: a permission for a service without source lets the service be used by anybody."""
    for title, each in of_type(EVERY[name].to_dict(), "AWS::Lambda::Permission").items():
        assert {"SourceArn", "SourceAccount"} & each.keys(), title


@pytest.mark.parametrize("name", EVERY)
def test_logs_queues_and_topics_have_a_key_and_an_end(name):
    rendered = EVERY[name].to_dict()
    for title, each in of_type(rendered, "AWS::SQS::Queue").items():
        assert each["KmsMasterKeyId"], title
    for title, each in of_type(rendered, "AWS::SNS::Topic").items():
        assert each["KmsMasterKeyId"], title
    for title, each in of_type(rendered, "AWS::Logs::LogGroup").items():
        assert each["KmsKeyId"], title
        assert each["RetentionInDays"], title


@pytest.mark.parametrize("name", NAMES)
def test_every_queue_refuses_what_comes_without_tls(name):
    rendered = template(name)
    guarded = {
        policy["Queues"][0]["Ref"]
        for policy in of_type(rendered, "AWS::SQS::QueuePolicy").values()
        if any(each["Sid"] == "NothingWithoutTls" for each in policy["PolicyDocument"]["Statement"])
    }
    assert guarded == set(of_type(rendered, "AWS::SQS::Queue"))


def test_weakness_12_and_33_settings_of_the_cluster_are_those_that_the_sample_lacks():
    """Weaknesses 12 and 33: no IAM, no audit, a foreign key, a family that does not fit, open to private addresses."""
    rendered = template("lineage-graph")
    (cluster,) = of_type(rendered, "AWS::Neptune::DBCluster").values()
    (parameters,) = of_type(rendered, "AWS::Neptune::DBClusterParameterGroup").values()
    assert cluster["IamAuthEnabled"] is cluster["DeletionProtection"] is cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"] == {"Fn::GetAtt": ["GraphKey", "Arn"]}
    assert (cluster["EnableCloudwatchLogsExports"], parameters["Parameters"]["neptune_enable_audit_log"]) == (
        ["audit"],
        "1",
    )
    version = rendered["Parameters"]["EngineVersion"]["Default"]
    assert parameters["Family"] == "neptune" + ".".join(version.split(".")[:2])
    assert cluster["BackupRetentionPeriod"] >= 7


def test_weakness_33_only_the_functions_reach_the_graph():
    rendered = template("lineage-network")
    into = [
        each
        for each in of_type(rendered, "AWS::EC2::SecurityGroupIngress").values()
        if each["GroupId"] == {"Ref": "GraphGroup"}
    ]
    (rule,) = into
    assert rule["SourceSecurityGroupId"] == {"Ref": "FunctionsGroup"}
    assert (rule["FromPort"], rule["ToPort"]) == (8182, 8182)
    assert all("SecurityGroupIngress" not in each for each in of_type(rendered, "AWS::EC2::SecurityGroup").values())


def test_nothing_leads_out_of_the_network():
    types = {each["Type"] for each in template("lineage-network")["Resources"].values()}
    assert types & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"} == set()
    for each in of_type(template("lineage-network"), "AWS::EC2::Subnet").values():
        assert each["MapPublicIpOnLaunch"] is False


def test_endpoints_let_principals_of_the_organization_through_alone():
    endpoints = of_type(template("lineage-network"), "AWS::EC2::VPCEndpoint")
    assert len(endpoints) == 8
    for title, each in endpoints.items():
        (statement,) = each["PolicyDocument"]["Statement"]
        assert "aws:PrincipalOrgID" in statement["Condition"]["StringEquals"], title


def test_weakness_9_executions_are_reserved_by_the_property_that_lambda_has():
    functions = [each for name in NAMES for each in of_type(template(name), FUNCTION).values()]
    assert len(functions) == len(FUNCTIONS)
    assert all(each["ReservedConcurrentExecutions"] > 0 for each in functions)
    said = template_body(stacks()["lineage-notices"].template)
    mistaken = said.replace("ReservedConcurrentExecutions", "ReservedConcurrencyLimit")
    assert mistaken != said
    assert "ReservedConcurrencyLimit" in str(lint_template(mistaken, ("eu-central-1",))), "the linter knows"


def test_weakness_11_rules_and_recorder_of_config_say_what_config_takes():
    model = boto3.client("config", region_name="eu-central-1").meta.service_model
    types, frequencies = (model.shape_for(each).enum for each in ("ResourceType", "MaximumExecutionFrequency"))
    assert "AWS::EC2::Image" not in types
    rules = of_type(template("lineage-compliance"), "AWS::Config::OrganizationConfigRule")
    assert len(rules) == 8
    for title, rule in rules.items():
        custom = rule.get("OrganizationCustomRuleMetadata", {})
        assert set(custom.get("ResourceTypesScope", ())) <= set(types), title
        assert custom.get("MaximumExecutionFrequency", "TwentyFour_Hours") in frequencies, title
    (s3_lock,) = [each for each in rules.values() if "object-lock" in each["OrganizationConfigRuleName"]]
    identifier = s3_lock["OrganizationManagedRuleMetadata"]["RuleIdentifier"]
    assert identifier == "S3_BUCKET_DEFAULT_LOCK_ENABLED"
    recorder = json.dumps(OTHERS["config-recorder"].to_dict())
    assert "AWS_ConfigRole" in recorder or "AWSServiceRoleForConfig" in recorder
    assert "service-role/ConfigRole" not in recorder


def test_weakness_35_no_function_may_tag_an_image():
    for name in NAMES:
        for title, role in of_type(template(name), "AWS::IAM::Role").items():
            assert "CreateTags" not in json.dumps(role), (name, title)


def test_weakness_34_every_method_of_the_api_asks_for_a_signature_and_validates():
    """Weakness 34: no authorizer by default, a key that is never asked for, an address range on a public endpoint."""
    (rest,) = of_type(template("lineage-api"), "AWS::ApiGateway::RestApi").values()
    body = rest["Body"]
    methods = [method for path in body["paths"].values() for method in path.values()]
    assert len(methods) >= 5
    assert all(method["security"] == [{"callers": []}] for method in methods)
    assert body["components"]["securitySchemes"]["callers"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert body["x-amazon-apigateway-request-validators"]["all"] == {
        "validateRequestBody": True,
        "validateRequestParameters": True,
    }
    assert "Access-Control" not in json.dumps(body)
    sids = {each["Sid"]: each for each in rest["Policy"]["Statement"]}
    assert sids["ListedAccounts"]["Condition"] == {
        "StringEquals": {
            "aws:PrincipalOrgID": {"Ref": "OrganizationId"},
            "aws:PrincipalAccount": {"Ref": "CallerAccountIds"},
        }
    }
    assert {sid for sid, each in sids.items() if each["Effect"] == "Allow"} == {"ListedAccounts"}
    assert "NothingWithoutTls" in sids


def test_callers_are_who_the_manifest_lists():
    role = "arn:aws:iam::111122223333:role/readers/Reader"

    def allowed(*callers: str) -> dict[str, Any]:
        lineage = manifest().lineage.model_copy(update={"api": ApiSettings(callers=callers)})
        told = manifest().model_copy(update={"lineage": lineage})
        (made,) = (each for each in lineage_stacks(told) if each.name == "lineage-api")
        (rest,) = of_type(made.template.to_dict(), "AWS::ApiGateway::RestApi").values()
        found = {each["Sid"]: each["Condition"] for each in rest["Policy"]["Statement"] if each["Effect"] == "Allow"}
        assert ("CallerAccountIds" in made.template.to_dict()["Parameters"]) == ("ListedAccounts" in found)
        return found

    assert allowed("Shop").keys() == {"ListedAccounts"}
    assert allowed("Shop", role).keys() == {"ListedAccounts", "ListedRoles"}
    assert allowed(role) == {
        "ListedRoles": {
            "StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
            "ArnEquals": {"aws:PrincipalArn": [role]},
        }
    }


def test_private_api_is_what_holds_if_nothing_is_said_and_is_reached_by_its_endpoint_alone():
    private = stacks("minimal")["lineage-api"].template
    assert lint_template(template_body(private), ("eu-central-1",)) == ()
    (rest,) = of_type(private.to_dict(), "AWS::ApiGateway::RestApi").values()
    assert rest["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [{"Ref": "ApiEndpointId"}]}
    (only,) = (each for each in rest["Policy"]["Statement"] if each["Sid"] == "ByTheEndpointAlone")
    assert only["Effect"] == "Deny"
    assert only["Condition"] == {"StringNotEquals": {"aws:SourceVpce": {"Ref": "ApiEndpointId"}}}


def test_stage_logs_who_asked_and_never_what_was_said():
    (stage,) = of_type(template("lineage-api"), "AWS::ApiGateway::Stage").values()
    (settings,) = stage["MethodSettings"]
    assert settings["DataTraceEnabled"] is False
    assert {"ThrottlingBurstLimit", "ThrottlingRateLimit"} <= settings.keys()
    assert "userArn" in stage["AccessLogSetting"]["Format"]
    assert "$context.path" not in stage["AccessLogSetting"]["Format"]


def test_errors_of_the_gateway_go_to_a_log_with_a_key_and_an_end():
    rendered = template("lineage-api")
    logs = of_type(rendered, "AWS::Logs::LogGroup")["ExecutionLog"]
    assert logs["LogGroupName"] == {"Fn::Sub": "API-Gateway-Execution-Logs_${Rest}/v1"}
    assert "ExecutionLog" in rendered["Resources"]["Live"]["DependsOn"]
    encrypted = json.dumps(of_type(template("lineage-network"), KEY))
    assert "log-group:API-Gateway-Execution-Logs_*" in encrypted


def test_firewall_limits_rates_and_sizes_and_has_the_rules_of_aws():
    (firewall,) = of_type(template("lineage-api"), "AWS::WAFv2::WebACL").values()
    rules = {each["Name"]: each for each in firewall["Rules"]}
    assert rules["too-many-requests"]["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    assert rules["large-body"]["Action"] == {"Block": {}}
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= rules.keys()
    assert [each["Priority"] for each in firewall["Rules"]] == list(range(len(rules)))


def test_topics_of_findings_are_filtered_by_severity_and_that_of_errors_is_not():
    """Weakness 42: a filter on an attribute that alarms do not have; one topic for everything; a key of AWS."""
    rendered = template("lineage-notices")
    subscriptions = of_type(rendered, "AWS::SNS::Subscription")
    mails = {title: each for title, each in subscriptions.items() if each["Protocol"] == "email"}
    assert mails
    for title, each in mails.items():
        topic = each["TopicArn"]["Ref"]
        assert ("FilterPolicy" in each) == (topic != "ErrorTopic"), title
    statements_ = of_type(rendered, KEY)["NoticesKey"]["KeyPolicy"]["Statement"]
    users = {each["Principal"]["Service"] for each in statements_ if "Service" in each["Principal"]}
    assert users == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}


def test_custom_actions_are_as_security_hub_takes_them():
    """Weakness 10: hyphens in ids, too many characters, a detail type that does not exist."""
    rendered = template("lineage-compliance")
    targets = of_type(rendered, "AWS::SecurityHub::ActionTarget")
    assert [each["Name"] for each in targets.values()] == ["Approve AMI", "Quarantine AMI", "Analyze AMI Lineage"]
    for each in targets.values():
        assert each["Id"].isalnum()
        assert len(each["Id"]) <= 20
        assert len(each["Name"]) <= 20
    rule = of_type(rendered, "AWS::Events::Rule")["ActionsChosen"]
    assert rule["EventPattern"]["detail-type"] == ["Security Hub Findings - Custom Action"]


def test_insights_of_the_sample_are_there():
    insights = of_type(template("lineage-compliance"), "AWS::SecurityHub::Insight").values()
    assert {each["Name"]: each["GroupByAttribute"] for each in insights} == {
        "AMI Compliance Overview": "ComplianceStatus",
        "AMI Security Findings": "SeverityLabel",
        "AMI Lineage Issues": "ResourceType",
    }


def test_config_rules_judge_images_periodically_and_instances_when_they_change():
    """Weakness 11: an owner and a resource type that do not exist."""
    rules = of_type(template("lineage-compliance"), "AWS::Config::OrganizationConfigRule")
    own = [
        each["OrganizationCustomRuleMetadata"] for each in rules.values() if "OrganizationCustomRuleMetadata" in each
    ]
    periodic = [each for each in own if each["OrganizationConfigRuleTriggerTypes"] == ["ScheduledNotification"]]
    assert len(periodic) == 5
    assert all("ResourceTypesScope" not in each for each in periodic)
    assert [each["ResourceTypesScope"] for each in own if each not in periodic] == [["AWS::EC2::Instance"]]


def test_config_calls_for_accounts_of_the_organization_alone():
    """Weakness 36."""
    (policy,) = of_type(template("lineage-compliance"), "AWS::Lambda::ResourcePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceOrgID": {"Ref": "OrganizationId"}}}


def test_dashboards_and_outputs_of_the_sample_are_there():
    dashboards = of_type(template("lineage-watch"), "AWS::CloudWatch::Dashboard").values()
    assert {each["DashboardName"] for each in dashboards} == {
        "AMI-Lineage-API-Dashboard",
        "AMI-Compliance-Dashboard",
    }
    for each in dashboards:
        widgets = json.loads(each["DashboardBody"]["Fn::Sub"])["widgets"]
        places = [(widget["x"], widget["y"]) for widget in widgets]
        assert len(places) == len(set(places)) > 3
    assert {"ApiUrl", "ApiId"} <= template("lineage-api")["Outputs"].keys()
    assert "DashboardURL" in template("lineage-watch")["Outputs"]
    keyed = lineage_api.render(api_document(), key_required=True).to_dict()["Outputs"]
    assert {"ApiKeyId", "UsagePlanId"} <= keyed.keys()


def test_a_rule_that_the_manifest_switches_off_is_no_rule_of_aws_config() -> None:
    manifest = load_manifest(example_manifest()).manifest
    compliance = manifest.lineage.compliance
    off = compliance.model_copy(
        update={
            "naming": compliance.naming.model_copy(update={"enabled": False}),
            "instance_image": compliance.instance_image.model_copy(update={"enabled": False}),
        }
    )
    without = manifest.model_copy(update={"lineage": manifest.lineage.model_copy(update={"compliance": off})})
    gone = config_rules(manifest) - config_rules(without)
    assert gone == {"orgctl-ami-naming-convention", "orgctl-instance-ami-compliance"}


def config_rules(manifest: Manifest) -> set[str]:
    (stack,) = (each for each in lineage_stacks(manifest) if each.name == "lineage-compliance")
    resources = stack.template.to_dict()["Resources"].values()
    return {
        each["Properties"]["OrganizationConfigRuleName"]
        for each in resources
        if each["Type"] == "AWS::Config::OrganizationConfigRule"
    }


def test_price_counts_what_the_parameters_ask_for() -> None:
    manifest = load_manifest(example_manifest()).manifest
    regional = [(each.template.to_dict(), each.parameters) for each in lineage_stacks(manifest)]
    private = [(template, {**given, "ApiAccess": "private"}) for template, given in regional]
    standby = [(template, {**given, "Standby": "yes"}) for template, given in regional]
    counted = price.count(regional)
    assert price.count(private) - counted == {
        "AWS::EC2::VPCEndpoint": 1,
        "interface_endpoint_zone": 2,
        "AWS::EC2::SecurityGroup": 1,
        "AWS::EC2::SecurityGroupIngress": 1,
    }
    assert price.count(standby) - counted == {"AWS::Neptune::DBInstance": 1}
    assert counted["interface_endpoint_zone"] == 2 * len(ENDPOINTS)
    dollars = price.standing(counted, capacity=1)["neptune_capacity_unit"]
    assert price.standing(counted, capacity=2)["neptune_capacity_unit"] == 2 * dollars


def test_price_of_many_goes_by_tiers() -> None:
    tiers = ({"upto": 100, "price": 3.0}, {"upto": 500, "price": 2.0}, {"price": 1.0})
    assert [price._tiered(each, tiers) for each in (0, 50, 100, 101, 500, 600)] == [0, 150, 300, 302, 1100, 1200]


POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abc123DEF"


def stacks_with(**lineage: object):
    """The stacks of the company example with other settings of lineage."""
    base = manifest()
    changed = {name: getattr(base.lineage, name).model_copy(update=said) for name, said in lineage.items()}
    made = base.model_copy(update={"lineage": base.lineage.model_copy(update=changed)})
    return {each.name: each for each in lineage_stacks(made)}


def test_cognito_user_pool_of_the_manifest_takes_the_place_of_the_organizations_principals():
    usual, changed = (
        stacks()["lineage-api"].template,
        stacks_with(api={"cognito_user_pool": POOL})["lineage-api"].template,
    )
    assert POOL in template_body(changed)
    assert POOL not in template_body(usual)
    assert "OrganizationId" in usual.parameters
    assert "OrganizationId" not in changed.parameters


def test_api_key_of_the_manifest_brings_a_usage_plan():
    usual, changed = stacks()["lineage-api"].template, stacks_with(api={"api_key": True})["lineage-api"].template
    assert list(of_type(usual.to_dict(), "AWS::ApiGateway::UsagePlan")) == []
    assert list(of_type(changed.to_dict(), "AWS::ApiGateway::UsagePlan")) == ["ClientPlan"]
    (rest,) = of_type(changed.to_dict(), "AWS::ApiGateway::RestApi").values()
    calls = [call for path in rest["Body"]["paths"].values() for name, call in path.items() if name in {"get", "post"}]
    assert {json.dumps(call["security"]) for call in calls} == {'[{"callers": [], "api_key": []}]'}


def test_requests_per_address_of_the_manifest_are_those_of_the_firewall():
    assert stacks()["lineage-api"].parameters["RequestsPerAddress"] == "3000"
    changed = stacks_with(api={"requests_per_address": 500})["lineage-api"]
    assert changed.parameters["RequestsPerAddress"] == "500"
    (firewall,) = of_type(changed.template.to_dict(), "AWS::WAFv2::WebACL").values()
    assert {"Ref": "RequestsPerAddress"} in [
        rule["Statement"]["RateBasedStatement"]["Limit"]
        for rule in firewall["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    ]


def test_standby_of_the_manifest_is_a_second_instance():
    assert stacks()["lineage-graph"].parameters["Standby"] == "no"
    changed = stacks_with(graph={"standby": True})["lineage-graph"]
    assert changed.parameters["Standby"] == "yes"
    assert [each["Condition"] for each in template("lineage-graph")["Resources"].values() if "Condition" in each]


def test_accounts_that_the_manifest_excepts_are_excepted_by_config_by_their_ids():
    assert stacks()["lineage-compliance"].parameters["ExcludedAccounts"] == ""
    changed = stacks_with(config={"except_accounts": ("Audit", "Log Archive")})["lineage-compliance"]
    said = "${orgctl:account-id:Audit},${orgctl:account-id:Log Archive}"
    assert changed.parameters["ExcludedAccounts"] == said
    for rule in of_type(changed.template.to_dict(), "AWS::Config::OrganizationConfigRule").values():
        assert rule["ExcludedAccounts"]
    deployed = Step(
        changed,
        AccountId("111122223333"),
        Region("eu-central-1"),
        "{}",
        {
            "account-id:Audit": "222233334444",
            "account-id:Log Archive": "333344445555",
        },
    )
    assert deployed.wanted({}).parameters["ExcludedAccounts"] == "222233334444,333344445555"
