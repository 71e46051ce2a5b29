"""What the functions of the lineage account stand on: a network without a way out, one key, the layer of packages.

Nothing in the network reaches the internet: there is no gateway to it and no NAT. What functions call is reached by
endpoints, whose policies admit this account's principals, and resources of the organization alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import AccountId, Equals, GetAtt, GetAZs, If, Join, Not, Output, Ref, Select, Sub, Template
from troposphere.awslambda import Content, LayerVersion
from troposphere.ec2 import (
    VPC,
    FlowLog,
    RouteTable,
    SecurityGroup,
    SecurityGroupEgress,
    SecurityGroupIngress,
    Subnet,
    SubnetRouteTableAssociation,
    VPCEndpoint,
)
from troposphere.iam import Policy, Role
from troposphere.kms import Key
from troposphere.logs import LogGroup

from stacksets.templates.function import LOG_DAYS, add_parameter
from stacksets.templates.names import EXECUTION_LOG, OWN_LOG_GROUPS
from stacksets.templates.own_key import encrypts_logs, own_key

FLOW_LOG = "/orgctl/lineage-network"
ENDPOINTS = ("config", "secretsmanager", "securityhub", "sns", "sqs", "sts")
"""What the functions in the network call, besides S3 and the graph. Logs and traces are sent by Lambda itself."""
GRAPH_PORT = 8182
_ZONES = 2
"""Neptune asks for subnets in two zones at least."""
_HAS_LAYER = "HasLayer"
_PRIVATE_API = "HasPrivateApi"
_NOWHERE = [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "Nothing: in place of the rule for anywhere"}]


def render() -> Template:
    template = Template("orgctl lineage network: private subnets, endpoints, key and packages of the functions")
    template.set_version()
    _add_parameters(template)
    template.add_condition(_HAS_LAYER, Not(Equals(Ref("LayerKey"), "")))
    template.add_condition(_PRIVATE_API, Equals(Ref("ApiAccess"), "private"))
    key = template.add_resource(_key())
    _add_layer(template)
    vpc = template.add_resource(
        VPC("Vpc", CidrBlock=Ref("NetworkRange"), EnableDnsSupport=True, EnableDnsHostnames=True, Tags=_name("lineage"))
    )
    routes = template.add_resource(RouteTable("Routes", VpcId=Ref(vpc), Tags=_name("lineage")))
    subnets = [_add_subnet(template, vpc, routes, number) for number in range(_ZONES)]
    functions, endpoints, graph = _add_groups(template, vpc)
    template.add_resource(_s3(vpc, routes))
    for service in ENDPOINTS:
        template.add_resource(_endpoint(service, vpc, subnets, endpoints))
    api = template.add_resource(_endpoint("execute-api", vpc, subnets, _add_clients(template, vpc), _PRIVATE_API))
    _add_flow_log(template, vpc, key)

    def output(name: str, description: str, value: object, **settings: object) -> None:
        template.add_output(Output(name, Description=description, Value=value, **settings))

    output("VpcId", "The network", Ref(vpc))
    output("SubnetIds", "Its private subnets", Join(",", [Ref(subnet) for subnet in subnets]))
    output("FunctionsSecurityGroupId", "Of functions", Ref(functions))
    output("GraphSecurityGroupId", "Of the graph: functions alone reach it", Ref(graph))
    output("FunctionsKeyArn", "Encrypts the functions' logs, variables and queues", GetAtt(key, "Arn"))
    output("LayerArn", "The packages that the functions import", If(_HAS_LAYER, Ref("Packages"), ""))
    output("ApiEndpointId", "By which the private API is reached", If(_PRIVATE_API, Ref(api), ""))
    return template


def _add_parameters(template: Template) -> None:
    add_parameter(
        template,
        "NetworkRange",
        "Addresses of the network, /16 to /24; it is joined to no other, unless you do",
        Default="10.255.0.0/22",
        AllowedPattern=r"\d{1,3}(\.\d{1,3}){3}/(1[6-9]|2[0-4])",
    )
    add_parameter(
        template,
        "SubnetRanges",
        "Addresses of the two subnets within it, with a comma",
        Type="CommaDelimitedList",
        Default="10.255.0.0/24,10.255.1.0/24",
    )
    add_parameter(template, "OrganizationId", "Whose resources the endpoints reach", AllowedPattern="o-[a-z0-9]+")
    add_parameter(
        template, "ApiAccess", "Whether the API is private or regional", AllowedValues=["private", "regional"]
    )
    add_parameter(template, "CodeBucket", "Bucket of this Region with the layer", MinLength=3, MaxLength=63)
    add_parameter(
        template, "LayerKey", "Key of the layer in the bucket; empty in the sandbox", Default="", MaxLength=1024
    )
    add_parameter(template, "LogRetentionDays", "How many days log groups keep their events", **LOG_DAYS)


def _add_layer(template: Template) -> None:
    template.add_resource(
        LayerVersion(
            "Packages",
            Condition=_HAS_LAYER,
            # Functions of the next stacks use the old one until they are updated, and go back to it if that fails.
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
            LayerName="orgctl-lineage-packages",
            Description="What the functions of orgctl import, besides their own code",
            CompatibleRuntimes=["python3.13"],
            CompatibleArchitectures=["arm64"],
            Content=Content(S3Bucket=Ref("CodeBucket"), S3Key=Ref("LayerKey")),
        )
    )


def _add_subnet(template: Template, vpc: VPC, routes: RouteTable, number: int) -> Subnet:
    subnet = template.add_resource(
        Subnet(
            f"Subnet{number + 1}",
            VpcId=Ref(vpc),
            AvailabilityZone=Select(number, GetAZs("")),
            CidrBlock=Select(number, Ref("SubnetRanges")),
            MapPublicIpOnLaunch=False,
            Tags=_name(f"lineage-{number + 1}"),
        )
    )
    template.add_resource(
        SubnetRouteTableAssociation(f"Subnet{number + 1}Routes", SubnetId=Ref(subnet), RouteTableId=Ref(routes))
    )
    return subnet


def _add_groups(template: Template, vpc: VPC) -> tuple[SecurityGroup, SecurityGroup, SecurityGroup]:
    """Functions reach the endpoints, the graph and S3, and nothing reaches them; rules name groups, not addresses."""

    def group(title: str, name: str, description: str) -> SecurityGroup:
        return template.add_resource(
            SecurityGroup(
                title,
                VpcId=Ref(vpc),
                GroupName=f"orgctl-lineage-{name}",
                GroupDescription=description,
                SecurityGroupEgress=_NOWHERE,
                Tags=_name(f"lineage-{name}"),
            )
        )

    functions = group("FunctionsGroup", "functions", "Functions of the lineage account")
    endpoints = group("EndpointsGroup", "endpoints", "Endpoints of the lineage network")
    graph = group("GraphGroup", "graph", "The lineage graph")
    for title, to, port, what in (
        ("Endpoints", endpoints, 443, "Functions call AWS by the endpoints"),
        ("Graph", graph, GRAPH_PORT, "Functions ask and write the graph"),
    ):
        ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": what}
        template.add_resource(
            SecurityGroupEgress(
                f"FunctionsTo{title}", GroupId=Ref(functions), DestinationSecurityGroupId=Ref(to), **ports
            )
        )
        template.add_resource(
            SecurityGroupIngress(
                f"{title}FromFunctions", GroupId=Ref(to), SourceSecurityGroupId=Ref(functions), **ports
            )
        )
    template.add_resource(
        SecurityGroupEgress(
            "FunctionsToS3",
            GroupId=Ref(functions),
            DestinationPrefixListId=Ref("S3PrefixList"),
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            Description="Functions write the archive by the gateway endpoint",
        )
    )
    add_parameter(
        template,
        "S3PrefixList",
        "The prefix list of S3 in this Region: orgctl looks it up",
        AllowedPattern="pl-[0-9a-f]+",
    )
    return functions, endpoints, graph


def _add_clients(template: Template, vpc: VPC) -> SecurityGroup:
    """Who reaches the private API: addresses that you join to the network, by a peering, a VPN or a transit gateway."""
    group = template.add_resource(
        SecurityGroup(
            "ApiGroup",
            Condition=_PRIVATE_API,
            VpcId=Ref(vpc),
            GroupName="orgctl-lineage-api",
            GroupDescription="Endpoint of the private lineage API",
            SecurityGroupEgress=_NOWHERE,
            Tags=_name("lineage-api"),
        )
    )
    template.add_resource(
        SecurityGroupIngress(
            "ApiFromClients",
            Condition=_PRIVATE_API,
            GroupId=Ref(group),
            CidrIp=Ref("ApiClientRange"),
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            Description="Clients of the private lineage API",
        )
    )
    add_parameter(
        template,
        "ApiClientRange",
        "Addresses that reach the private API: those of the network, unless you join others to it",
        Default="10.255.0.0/22",
        AllowedPattern=r"\d{1,3}(\.\d{1,3}){3}/([89]|[12]\d|3[0-2])",
    )
    return group


def _policy(service: str) -> dict[str, object]:
    """Admit the organization's principals, this account's alone where nobody else's is used, and its resources alone.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
    """
    keys: dict[str, object] = {"aws:PrincipalOrgID": Ref("OrganizationId"), "aws:ResourceOrgID": Ref("OrganizationId")}
    if service == "config":
        # The function acts as a role of the account that is judged, and its call names no resource.
        del keys["aws:ResourceOrgID"]
    elif service != "execute-api":
        keys["aws:PrincipalAccount"] = AccountId
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OwnPrincipalsOwnResources",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": keys},
            }
        ],
    }


_POLICY_REASONS = {
    "Reasons": {
        "OwnPrincipalsOwnResources": "An endpoint's policy grants nothing: what a function may call is in its "
        "role, and here is whose calls pass, and to whose resources"
    }
}


def _s3(vpc: VPC, routes: RouteTable) -> VPCEndpoint:
    return VPCEndpoint(
        "S3Endpoint",
        VpcId=Ref(vpc),
        ServiceName=Sub("com.amazonaws.${AWS::Region}.s3"),
        VpcEndpointType="Gateway",
        RouteTableIds=[Ref(routes)],
        PolicyDocument=_policy("s3"),
        Metadata=_POLICY_REASONS,
    )


def _endpoint(service: str, vpc: VPC, subnets: list[Subnet], group: SecurityGroup, condition: str = "") -> VPCEndpoint:
    title = "".join(word.capitalize() for word in service.split("-"))
    return VPCEndpoint(
        f"{title}Endpoint",
        VpcId=Ref(vpc),
        ServiceName=Sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[Ref(subnet) for subnet in subnets],
        SecurityGroupIds=[Ref(group)],
        PolicyDocument=_policy(service),
        Metadata=_POLICY_REASONS,
        **({"Condition": condition} if condition else {}),
    )


def _add_flow_log(template: Template, vpc: VPC, key: Key) -> None:
    logs = template.add_resource(
        LogGroup(
            "FlowLog",
            LogGroupName=FLOW_LOG,
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=GetAtt(key, "Arn"),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    source = {"StringEquals": {"aws:SourceAccount": AccountId}}
    role = template.add_resource(
        Role(
            "FlowLogRole",
            RoleName=Sub("orgctl-lineage-flow-log-${AWS::Region}"),
            Description="Writes what passes in the lineage network to its log group",
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "FlowLogsMayAssume",
                        "Effect": "Allow",
                        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": source,
                    }
                ],
            },
            Policies=[
                Policy(
                    PolicyName="write",
                    PolicyDocument={
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "Write",
                                "Effect": "Allow",
                                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                                "Resource": GetAtt(logs, "Arn"),
                            }
                        ],
                    },
                )
            ],
        )
    )
    template.add_resource(
        FlowLog(
            "Flow",
            ResourceId=Ref(vpc),
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(logs),
            DeliverLogsPermissionArn=GetAtt(role, "Arn"),
        )
    )


def _key() -> Key:
    """Encrypt log groups, the functions' variables, secrets and queues.

    Services use it for logs, and for what EventBridge and SNS could not deliver to a function, whose queue it encrypts.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    uses: list[Mapping[str, object]] = [
        encrypts_logs(*(f"{start}*" for start in (*OWN_LOG_GROUPS, EXECUTION_LOG))),
        {
            "Sid": "ServicesKeepWhatTheyCouldNotDeliver",
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}},
        },
    ]
    return own_key("FunctionsKey", "Encrypts logs, variables, secrets and queues of orgctl's functions", uses)


def _name(end: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": f"orgctl-{end}"}]
