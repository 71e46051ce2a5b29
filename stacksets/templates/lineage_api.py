"""The API: API Gateway in front of one function, behind a web firewall, for the callers that are listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Literal

from troposphere import GetAtt, Output, Ref, Sub, Template
from troposphere.apigateway import (
    AccessLogSetting,
    Account,
    ApiKey,
    ApiStage,
    Deployment,
    EndpointConfiguration,
    MethodSetting,
    QuotaSettings,
    RestApi,
    Stage,
    StageKey,
    ThrottleSettings,
    UsagePlan,
    UsagePlanKey,
)
from troposphere.awslambda import Permission
from troposphere.iam import Role
from troposphere.logs import LogGroup
from troposphere.secretsmanager import GenerateSecretString, Secret

from stacksets.api_body import gateway_body
from stacksets.functions import API
from stacksets.templates.firewall import add_firewall, log_arn
from stacksets.templates.function import (
    add_function,
    add_function_parameters,
    add_graph_parameters,
    add_parameter,
    add_settings_parameter,
)
from stacksets.templates.names import EXECUTION_LOG, LINEAGE_API

STAGE = "v1"
ACCESS_LOG = "/orgctl/lineage-api-access"
_URL = f"https://${{Rest}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"
_INTEGRATION = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": Sub(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Api.Arn}/invocations"
    ),
    "passthroughBehavior": "never",
    "timeoutInMillis": 29_000,
}
_FIELDS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "account": "$context.identity.accountId",
    "address": "$context.identity.sourceIp",
    "endpoint": "$context.identity.vpceId",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "firewall": "$context.wafResponseCode",
    "refusal": "$context.error.responseType",
}
"""What the access log tells of a request: not its path or query, which a caller could write anything into."""


def render(
    document: Mapping[str, Any],
    access: Literal["private", "regional"] = "private",
    user_pool_arn: str = "",
    *,
    accounts: bool = True,
    roles: Collection[str] = (),
    key_required: bool = False,
) -> Template:
    """Render for an OpenAPI document.

    `accounts`: principals of the accounts in the parameter CallerAccountIds may call; `roles`: those of these ARNs.
    `user_pool_arn`: callers are users of this Cognito pool, in place of both.
    `key_required`: callers have an API key as well, and the usage plan counts their requests by it.
    """
    template = Template("orgctl lineage API: REST API, web firewall, and the function that answers")
    template.set_version()
    _add_parameters(template, access, user_pool_arn, accounts=accounts)
    template.add_resource(_cursor_secret())
    function = add_function(template, API)
    body = gateway_body(
        document,
        title=LINEAGE_API,
        integration=_INTEGRATION,
        security=_callers(user_pool_arn),
        key_required=key_required,
    )
    who = {} if user_pool_arn else _who(accounts=accounts, roles=roles)
    rest = template.add_resource(_rest(access, body, who))
    stage = _add_stage(template, rest)
    template.add_resource(
        Permission(
            "GatewayMayCall",
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="apigateway.amazonaws.com",
            SourceArn=Sub(
                f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Rest}}/{STAGE}/*"
            ),
        )
    )
    add_firewall(
        template,
        Sub(f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{Rest}}/stages/${{{stage.title}}}"),
    )
    if key_required:
        _add_usage_plan(template, rest, stage)
    template.add_output(Output("ApiUrl", Description="Before each path", Value=Sub(_URL)))
    template.add_output(Output("ApiId", Description="Of the REST API", Value=Ref(rest)))
    return template


def _add_parameters(template: Template, access: str, user_pool_arn: str, *, accounts: bool) -> None:
    add_function_parameters(template, in_network=True)
    add_graph_parameters(template)
    add_settings_parameter(template)
    if not user_pool_arn:
        add_parameter(template, "OrganizationId", "Whose principals may call the API", AllowedPattern="o-[a-z0-9]+")
        if accounts:
            add_parameter(
                template, "CallerAccountIds", "Accounts whose principals may call the API", Type="CommaDelimitedList"
            )
    if access == "private":
        add_parameter(
            template, "ApiEndpointId", "Endpoint by which alone it is called", AllowedPattern="vpce-[0-9a-f]+"
        )
    for name, says, default in (
        ("RequestsPerSecond", "Beyond which callers together are asked to wait", 50),
        ("RequestsAtOnce", "That may come at once before that", 100),
    ):
        add_parameter(template, name, says, Type="Number", Default=default, MinValue=1, MaxValue=10_000)


def _callers(user_pool_arn: str) -> dict[str, object]:
    if user_pool_arn:
        return {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [user_pool_arn]},
        }
    return {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}


def _cursor_secret() -> Secret:
    return Secret(
        "CursorSecret",
        Name="orgctl-lineage-cursor",
        Description="Signs the cursors of long answers; replace it at will: cursors that are out then end",
        KmsKeyId=Ref("FunctionsKeyArn"),
        GenerateSecretString=GenerateSecretString(PasswordLength=64, ExcludePunctuation=True),
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _rest(access: str, body: Mapping[str, Any], who: Mapping[str, Mapping[str, object]]) -> RestApi:
    private = access == "private"
    endpoint = {"VpcEndpointIds": [Ref("ApiEndpointId")]} if private else {}
    return RestApi(
        "Rest",
        Name=LINEAGE_API,
        Description="Questions to the lineage graph",
        EndpointConfiguration=EndpointConfiguration(Types=["PRIVATE" if private else "REGIONAL"], **endpoint),
        Policy=_policy(private=private, who=who),
        Body=body,
        FailOnWarnings=True,
        MinimumCompressionSize=1024,
        **({} if who else {"Metadata": _OF_A_POOL}),
    )


_OF_A_POOL = {
    "Reasons": {"UsersOfThePool": "Users of a Cognito pool are no principals of IAM: the authorizer lets them in"}
}


def _who(*, accounts: bool, roles: Collection[str]) -> dict[str, dict[str, object]]:
    """Answer the condition under which a principal may call, by the statement's name.

    Conditions, since API Gateway refuses a policy whose `Principal` names a role that is not there (yet). For a session
    `aws:PrincipalArn` is the role's ARN: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    if not (accounts or roles):
        raise ValueError("an API that nobody may call")
    of_organization = {"aws:PrincipalOrgID": Ref("OrganizationId")}
    who: dict[str, dict[str, object]] = {}
    if accounts:
        who["ListedAccounts"] = {"StringEquals": {**of_organization, "aws:PrincipalAccount": Ref("CallerAccountIds")}}
    if roles:
        who["ListedRoles"] = {"StringEquals": of_organization, "ArnEquals": {"aws:PrincipalArn": sorted(roles)}}
    return who


def _policy(*, private: bool, who: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Who may call; users of a Cognito pool are no principals of IAM, and are let in by the authorizer alone."""

    def statement(sid: str, effect: str, condition: Mapping[str, object]) -> dict[str, object]:
        return {
            "Sid": sid,
            "Effect": effect,
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
            **({"Condition": condition} if condition else {}),
        }

    statements = [
        *(statement(sid, "Allow", condition) for sid, condition in (who or {"UsersOfThePool": {}}).items()),
        statement("NothingWithoutTls", "Deny", {"Bool": {"aws:SecureTransport": "false"}}),
    ]
    if private:
        only = {"StringNotEquals": {"aws:SourceVpce": Ref("ApiEndpointId")}}
        statements.append(statement("ByTheEndpointAlone", "Deny", only))
    return {"Version": "2012-10-17", "Statement": statements}


def _add_stage(template: Template, rest: RestApi) -> Stage:
    # A deployment is a picture of the API, its policy included, that never changes: another API is another deployment.
    text = json.dumps(rest.to_dict(), sort_keys=True, default=lambda value: value.to_dict())
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    deployment = template.add_resource(Deployment(f"Deployment{digest}", RestApiId=Ref(rest)))
    logs = template.add_resource(
        LogGroup(
            "AccessLog",
            LogGroupName=ACCESS_LOG,
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=Ref("FunctionsKeyArn"),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    execution = template.add_resource(
        LogGroup(
            "ExecutionLog",
            # API Gateway writes its errors to a group of this name, and would make one without key and end.
            LogGroupName=Sub(f"{EXECUTION_LOG}${{Rest}}/{STAGE}"),
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=Ref("FunctionsKeyArn"),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    role = template.add_resource(_logging_role())
    account = template.add_resource(Account("GatewayAccount", CloudWatchRoleArn=GetAtt(role, "Arn")))
    return template.add_resource(
        Stage(
            "Live",
            DependsOn=[account.title, execution.title, logs.title],
            RestApiId=Ref(rest),
            DeploymentId=Ref(deployment),
            StageName=STAGE,
            TracingEnabled=True,
            AccessLogSetting=AccessLogSetting(DestinationArn=log_arn(ACCESS_LOG), Format=json.dumps(_FIELDS)),
            MethodSettings=[
                MethodSetting(
                    ResourcePath="/*",
                    HttpMethod="*",
                    LoggingLevel="ERROR",
                    # Data traces would put whole requests and answers into the log.
                    DataTraceEnabled=False,
                    MetricsEnabled=True,
                    ThrottlingRateLimit=Ref("RequestsPerSecond"),
                    ThrottlingBurstLimit=Ref("RequestsAtOnce"),
                )
            ],
            Metadata={
                "checkov": {
                    "skip": [
                        {"id": "CKV_AWS_120", "comment": "Answers are of the moment, and who may see them differs"},
                        {
                            "id": "CKV2_AWS_51",
                            "comment": "Callers sign with IAM; no backend is reached by TLS of its own",
                        },
                    ]
                }
            },
        )
    )


def _logging_role() -> Role:
    """One for all of API Gateway in this account and Region: AWS has it so.

    Its trust is the documented one, without aws:SourceAccount: that API Gateway sends it, above all when it tries the
    role, is not documented, and without it nothing of this stack could be made. Only this account can hand it the role.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    return Role(
        "GatewayLogRole",
        RoleName=Sub("orgctl-api-gateway-log-${AWS::Region}"),
        Description="Lets API Gateway write its log",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ApiGatewayMayAssume",
                    "Effect": "Allow",
                    "Principal": {"Service": "apigateway.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
        ManagedPolicyArns=[
            Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
        ],
        Metadata={"Reasons": {"AmazonAPIGatewayPushToCloudWatchLogs": "The policy that API Gateway documents for it"}},
    )


def _add_usage_plan(template: Template, rest: RestApi, stage: Stage) -> None:
    key = template.add_resource(
        ApiKey(
            "ClientKey",
            DependsOn=[stage.title],
            Name=f"{LINEAGE_API}-client",
            Description="Counts a client's requests; it does not say who the client is",
            Enabled=True,
            StageKeys=[StageKey(RestApiId=Ref(rest), StageName=STAGE)],
        )
    )
    plan = template.add_resource(
        UsagePlan(
            "ClientPlan",
            UsagePlanName=f"{LINEAGE_API}-clients",
            Description="What one client may ask",
            ApiStages=[ApiStage(ApiId=Ref(rest), Stage=Ref(stage))],
            Quota=QuotaSettings(Limit=10_000, Period="DAY"),
            Throttle=ThrottleSettings(RateLimit=50, BurstLimit=100),
        )
    )
    template.add_resource(UsagePlanKey("ClientPlanKey", KeyId=Ref(key), KeyType="API_KEY", UsagePlanId=Ref(plan)))
    template.add_output(Output("ApiKeyId", Description="Of the clients' key", Value=Ref(key)))
    template.add_output(Output("UsagePlanId", Description="What a key may ask", Value=Ref(plan)))
