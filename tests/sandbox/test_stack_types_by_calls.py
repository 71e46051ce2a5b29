"""The resource types that are tables of calls: held to AWS's schemas, and each made, read, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import pytest
from botocore.exceptions import ClientError

from org.sandbox.server import Sandbox
from org.sandbox.stack_types import find_type
from org.sandbox.stack_types.by_calls import ByCalls, CallType, Here, Step
from org.sandbox.stack_types.interface import Wanted
from org.sandbox.stack_types.tables import TABLES as ALL
from tests.support.cloud import HOME, Cloud, tags

TABLES = {table.shape.type_name: table for table in ALL}


@cache
def schemas() -> Mapping[str, Any]:
    """Answer the schemas that cfn-lint brings along, by type."""
    files = resources.files("cfnlint.data.schemas").joinpath("resources").iterdir()
    read = (json.loads(each.read_text(encoding="utf-8")) for each in files if each.name.endswith(".json"))
    return {each["typeName"]: each for each in read if each["typeName"] in TABLES}


def names(schema: Mapping[str, Any], *keys: str) -> set[str]:
    return {name.removeprefix("/properties/") for key in keys for name in schema.get(key, [])}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_of_its_type_what_the_schema_says(name: str) -> None:
    schema, shape = schemas()[name], TABLES[name].shape
    read_only = names(schema, "readOnlyProperties")
    assert shape.properties <= set(schema["properties"]) - read_only
    assert set(schema.get("required", [])) <= shape.properties
    always, sometimes = names(schema, "createOnlyProperties"), names(schema, "conditionalCreateOnlyProperties")
    replaced = shape.replaced_by | {shape.name_property} - {""}
    assert always & shape.properties <= replaced <= always | sometimes
    assert shape.attributes <= read_only | set(schema["properties"])


class Asked(dict[str, Any]):
    """Properties that remember which of them were asked for."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def steps_of(table: CallType) -> Iterator[Step]:
    for change in (table.create, *table.then, *table.update, table.remove):
        if isinstance(change, Step):
            yield change


@pytest.mark.parametrize("name", ["AWS::EC2::VPC", "AWS::EC2::FlowLog", "AWS::Neptune::DBCluster", "AWS::EC2::Route"])
def test_no_property_of_a_table_is_left_unread(name: str) -> None:
    table, asked = TABLES[name], Asked({"DestinationCidrBlock": "10.0.0.0/8"})
    here = Here(table.service, Wanted("111122223333", "eu-central-1", "arn:stack/s/1", "It", "it", asked), "it")
    for step in steps_of(table):
        for value in step.parameters.values():
            value(here)
    written_elsewhere = {table.shape.name_property, "Tags", "AssociatedRoles"}
    assert table.shape.properties - written_elsewhere == asked.names


def test_every_table_is_a_type_of_the_sandbox() -> None:
    assert all(isinstance(find_type(name), ByCalls) for name in TABLES)


class Stack:
    """One stack in one account, of several resources."""

    def __init__(self, cloud: Cloud, account: str, name: str = "stack") -> None:
        self.account, self.name = account, name
        self.client: Callable[[str], Any] = lambda service: cloud.client(service, account)
        self.cloudformation = self.client("cloudformation")

    def put(self, *attributes: str, **definitions: Any) -> dict[str, str]:
        """Create or update it, and answer the Ref of each, and each attribute (`Vpc.CidrBlock`)."""
        outputs: dict[str, Any] = {name: {"Value": {"Ref": name}} for name in definitions}
        outputs |= {each.replace(".", ""): {"Value": {"Fn::GetAtt": each.split(".")}} for each in attributes}
        body = json.dumps({"Resources": definitions, "Outputs": outputs})
        known = {stack["StackName"] for stack in self.cloudformation.describe_stacks()["Stacks"]}
        put = self.cloudformation.update_stack if self.name in known else self.cloudformation.create_stack
        put(StackName=self.name, TemplateBody=body)
        stack = self.stack
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack["StackStatusReason"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    @property
    def stack(self) -> Any:
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]

    def delete(self) -> None:
        self.cloudformation.delete_stack(StackName=self.name)
        assert self.cloudformation.describe_stacks()["Stacks"] == []


@pytest.fixture
def stack(cloud: Cloud) -> Stack:
    return Stack(cloud, cloud.make_account())


def resource(kind: str, properties: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties or {}, **more}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


VPC = resource("EC2::VPC", {"CidrBlock": "10.1.0.0/16", "EnableDnsHostnames": True, "Tags": tags(Name="lineage")})
SUBNETS = {
    f"Subnet{end}": resource(
        "EC2::Subnet",
        {"VpcId": ref("Vpc"), "CidrBlock": f"10.1.{number}.0/24", "AvailabilityZone": f"eu-central-1{end.lower()}"},
    )
    for number, end in enumerate("AB")
}


@pytest.mark.parametrize("name", TABLES)
def test_an_unknown_property_is_refused_before_anything_is_made(stack: Stack, name: str) -> None:
    it = {"Type": name, "Properties": {"Nonsense": "x"}}
    with pytest.raises(ClientError, match=f"does not emulate the property Nonsense of {name}"):
        stack.put(It=it)


def test_a_network_is_made_changed_and_deleted(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    routes = {
        "Table": resource("EC2::RouteTable", {"VpcId": ref("Vpc"), "Tags": tags(Name="private")}),
        "Joined": resource(
            "EC2::SubnetRouteTableAssociation", {"SubnetId": ref("SubnetA"), "RouteTableId": ref("Table")}
        ),
    }
    made = stack.put(
        "Vpc.CidrBlock", "Vpc.DefaultSecurityGroup", "SubnetA.AvailabilityZone", Vpc=VPC, **SUBNETS, **routes
    )
    (vpc,) = ec2.describe_vpcs(VpcIds=[made["Vpc"]])["Vpcs"]
    assert (vpc["CidrBlock"], vpc["Tags"]) == ("10.1.0.0/16", tags(Name="lineage"))
    assert made["VpcCidrBlock"] == "10.1.0.0/16"
    (default,) = ec2.describe_security_groups(GroupIds=[made["VpcDefaultSecurityGroup"]])["SecurityGroups"]
    assert (default["GroupName"], default["VpcId"]) == ("default", made["Vpc"])

    def names_resolve() -> Any:
        asked = {"VpcId": made["Vpc"], "Attribute": "enableDnsHostnames"}
        return ec2.describe_vpc_attribute(**asked)["EnableDnsHostnames"]["Value"]

    assert names_resolve() is True
    (subnet,) = ec2.describe_subnets(SubnetIds=[made["SubnetA"]])["Subnets"]
    assert (subnet["CidrBlock"], subnet["AvailabilityZone"], subnet["MapPublicIpOnLaunch"]) == (
        "10.1.0.0/24",
        made["SubnetAAvailabilityZone"],
        False,
    )
    (table,) = ec2.describe_route_tables(RouteTableIds=[made["Table"]])["RouteTables"]
    assert [each["SubnetId"] for each in table["Associations"]] == [made["SubnetA"]]
    assert table["Tags"] == tags(Name="private")

    changed_vpc = resource("EC2::VPC", {"CidrBlock": "10.1.0.0/16", "EnableDnsHostnames": "false", "Tags": tags(A="b")})
    changed_subnet = resource("EC2::Subnet", {**SUBNETS["SubnetA"]["Properties"], "MapPublicIpOnLaunch": "true"})
    moved = {**routes["Joined"]["Properties"], "SubnetId": ref("SubnetB")}
    changed = stack.put(
        Vpc=changed_vpc,
        SubnetA=changed_subnet,
        SubnetB=SUBNETS["SubnetB"],
        Table=routes["Table"],
        Joined=resource("EC2::SubnetRouteTableAssociation", moved),
    )
    assert (changed["Vpc"], changed["SubnetA"]) == (made["Vpc"], made["SubnetA"])
    assert names_resolve() is False
    assert ec2.describe_vpcs(VpcIds=[made["Vpc"]])["Vpcs"][0]["Tags"] == tags(A="b")
    assert ec2.describe_subnets(SubnetIds=[made["SubnetA"]])["Subnets"][0]["MapPublicIpOnLaunch"] is True
    (table,) = ec2.describe_route_tables(RouteTableIds=[made["Table"]])["RouteTables"]
    assert [each["SubnetId"] for each in table["Associations"]] == [made["SubnetB"]]

    stack.delete()
    assert made["Vpc"] not in [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]]
    assert {made["SubnetA"], made["SubnetB"]} & {
        each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]
    } == set()


def test_a_route_is_made_turned_and_deleted(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    gateways = [ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2)]
    table = resource("EC2::RouteTable", {"VpcId": ref("Vpc")})

    def route(gateway: str) -> dict[str, Any]:
        given = {"RouteTableId": ref("Table"), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
        return resource("EC2::Route", given)

    def targets(id: str) -> set[str]:
        (found,) = ec2.describe_route_tables(RouteTableIds=[id])["RouteTables"]
        return {each["GatewayId"] for each in found["Routes"]}

    made = stack.put("Out.CidrBlock", Vpc=VPC, Table=table, Out=route(gateways[0]))
    assert (made["Out"], made["OutCidrBlock"]) == (f"{made['Table']}|0.0.0.0/0", "0.0.0.0/0")
    assert targets(made["Table"]) == {"local", gateways[0]}
    stack.put(Vpc=VPC, Table=table, Out=route(gateways[1]))
    assert targets(made["Table"]) == {"local", gateways[1]}
    stack.put(Vpc=VPC, Table=table)
    assert targets(made["Table"]) == {"local"}


def test_security_groups_and_their_rules_are_made_changed_and_deleted(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    nowhere = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "nothing"}
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": "443"}
    listed = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]

    def group(*ingress: Mapping[str, Any], egress: Any = nowhere, **more: Any) -> dict[str, Any]:
        given = {"GroupDescription": "it", "VpcId": ref("Vpc"), "SecurityGroupIngress": list(ingress)}
        return resource("EC2::SecurityGroup", {**given, "SecurityGroupEgress": [egress], **more})

    def rule(way: str, peer: str, name: object, text: str) -> dict[str, Any]:
        given = {"GroupId": ref("A"), peer: name, "Description": text, **https}
        return resource(f"EC2::SecurityGroup{way}", given)

    first = {
        "Vpc": VPC,
        "A": group({"CidrIp": "10.0.0.0/8", **https}, GroupName="a"),
        "B": group(),
        "In": rule("Ingress", "SourceSecurityGroupId", ref("B"), "first"),
        "Out": rule("Egress", "DestinationPrefixListId", listed, "to S3"),
    }
    made = stack.put("A.GroupId", **first)
    assert made["AGroupId"] == made["A"]

    def read(name: str) -> Any:
        (found,) = ec2.describe_security_groups(GroupIds=[made[name]])["SecurityGroups"]
        return found

    a = read("A")
    assert a["GroupName"] == "a"
    assert read("B")["GroupName"].startswith("stack-B-")
    ranges = [(each["CidrIp"], each.get("Description")) for rule in a["IpPermissions"] for each in rule["IpRanges"]]
    pairs = [(each["GroupId"], each["Description"]) for rule in a["IpPermissions"] for each in rule["UserIdGroupPairs"]]
    assert (ranges, pairs) == ([("10.0.0.0/8", None)], [(made["B"], "first")])
    out = {each["CidrIp"] for rule in a["IpPermissionsEgress"] for each in rule["IpRanges"]}
    lists = {each["PrefixListId"] for rule in a["IpPermissionsEgress"] for each in rule["PrefixListIds"]}
    assert (out, lists) == ({"127.0.0.1/32"}, {listed}), "the rule for anywhere is gone"

    def described() -> dict[str, str]:
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [made["A"]]}])
        return {rule["SecurityGroupRuleId"]: rule.get("Description", "") for rule in rules["SecurityGroupRules"]}

    assert {name: described()[made[name]] for name in ("In", "Out")} == {"In": "first", "Out": "to S3"}

    second = {**first, "A": group({"CidrIp": "10.9.0.0/16", **https}, GroupName="a")}
    second["In"] = rule("Ingress", "SourceSecurityGroupId", ref("B"), "second")
    del second["Out"]
    assert stack.put(**second)["A"] == made["A"]
    a = read("A")
    ranges = [(each["CidrIp"], each.get("Description")) for rule in a["IpPermissions"] for each in rule["IpRanges"]]
    pairs = [(each["GroupId"], each["Description"]) for rule in a["IpPermissions"] for each in rule["UserIdGroupPairs"]]
    assert (ranges, pairs) == ([("10.9.0.0/16", None)], [(made["B"], "second")])
    assert {each["PrefixListId"] for rule in a["IpPermissionsEgress"] for each in rule["PrefixListIds"]} == set()
    stack.delete()
    assert made["A"] not in [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]


def test_a_rule_with_an_unknown_part_or_without_a_peer_is_refused(stack: Stack) -> None:
    for rule, why in (
        ({"IpProtocol": "-1", "CidrIp": "10.0.0.0/8", "SourceSecurityGroupName": "x"}, "SourceSecurityGroupName"),
        ({"IpProtocol": "-1"}, "must be specified"),
    ):
        given = {"GroupDescription": "it", "SecurityGroupIngress": [rule]}
        with pytest.raises(AssertionError, match=why):
            stack.put(It=resource("EC2::SecurityGroup", given))
        stack.cloudformation.delete_stack(StackName="stack")


def policy(sid: str) -> dict[str, Any]:
    allow = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def test_endpoints_are_made_changed_and_deleted(stack: Stack) -> None:
    ec2 = stack.client("ec2")
    group = {"GroupDescription": "it", "VpcId": ref("Vpc")}
    base = {
        "Vpc": VPC,
        **SUBNETS,
        "TableA": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "TableB": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "GroupA": resource("EC2::SecurityGroup", group),
        "GroupB": resource("EC2::SecurityGroup", group),
    }

    def endpoints(end: str, sid: str, private: object) -> dict[str, Any]:
        service = {"Fn::Sub": "com.amazonaws.${AWS::Region}.sqs"}
        s3 = {"VpcId": ref("Vpc"), "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}}
        interface: dict[str, Any] = {"VpcEndpointType": "Interface", "VpcId": ref("Vpc"), "ServiceName": service}
        interface |= {"SubnetIds": [ref(f"Subnet{end}")], "SecurityGroupIds": [ref(f"Group{end}")]}
        interface |= {"PrivateDnsEnabled": private, "PolicyDocument": policy(sid)}
        gateway = {**s3, "RouteTableIds": [ref(f"Table{end}")], "PolicyDocument": policy(sid)}
        return {"Queues": resource("EC2::VPCEndpoint", interface), "S3": resource("EC2::VPCEndpoint", gateway)}

    def read(id: str) -> Any:
        (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"]
        return found

    def routed(id: str) -> bool:
        (table,) = ec2.describe_route_tables(RouteTableIds=[id])["RouteTables"]
        return any(each.get("GatewayId", "").startswith("vpce-") for each in table["Routes"])

    ec2.describe_managed_prefix_lists()
    made = stack.put("Queues.Id", **base, **endpoints("A", "First", True))
    queues, s3 = read(made["Queues"]), read(made["S3"])
    assert (queues["VpcEndpointType"], queues["PrivateDnsEnabled"]) == ("Interface", True)
    assert queues["SubnetIds"] == [made["SubnetA"]]
    assert [each["GroupId"] for each in queues["Groups"]] == [made["GroupA"]]
    assert json.loads(queues["PolicyDocument"]) == json.loads(s3["PolicyDocument"]) == policy("First")
    assert (s3["VpcEndpointType"], s3["RouteTableIds"]) == ("Gateway", [made["TableA"]])
    assert (routed(made["TableA"]), routed(made["TableB"])) == (True, False)

    changed = stack.put(**base, **endpoints("B", "Second", False))
    assert (changed["Queues"], changed["S3"]) == (made["Queues"], made["S3"])
    queues, s3 = read(made["Queues"]), read(made["S3"])
    assert (queues["SubnetIds"], queues["PrivateDnsEnabled"]) == ([made["SubnetB"]], False)
    assert [each["GroupId"] for each in queues["Groups"]] == [made["GroupB"]]
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=queues["NetworkInterfaceIds"])
    assert [each["SubnetId"] for each in interfaces["NetworkInterfaces"]] == [made["SubnetB"]]
    assert json.loads(s3["PolicyDocument"]) == policy("Second")
    assert (routed(made["TableA"]), routed(made["TableB"])) == (False, True)
    stack.delete()
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_flow_log_is_made_replaced_and_deleted(stack: Stack) -> None:
    ec2 = stack.client("ec2")

    def flow(kind: str) -> dict[str, Any]:
        given: dict[str, Any] = {
            "ResourceId": ref("Vpc"),
            "ResourceType": "VPC",
            "TrafficType": kind,
            "LogGroupName": ref("Logs"),
        }
        given |= {"LogDestinationType": "cloud-watch-logs", "MaxAggregationInterval": "60", "Tags": tags(Name="flow")}
        given |= {"DeliverLogsPermissionArn": f"arn:aws:iam::{stack.account}:role/flow"}
        return resource("EC2::FlowLog", given)

    logs = resource("Logs::LogGroup", {"LogGroupName": "/flow"})
    made = stack.put(Vpc=VPC, Logs=logs, Flow=flow("ALL"))
    (found,) = ec2.describe_flow_logs()["FlowLogs"]
    assert (found["FlowLogId"], found["ResourceId"], found["TrafficType"]) == (made["Flow"], made["Vpc"], "ALL")
    assert (found["LogGroupName"], found["DeliverLogsStatus"]) == ("/flow", "SUCCESS")
    assert (found["MaxAggregationInterval"], found["Tags"]) == (60, tags(Name="flow"))
    stack.put(Vpc=VPC, Logs=logs)
    assert ec2.describe_flow_logs()["FlowLogs"] == []


# --- Neptune


def graph(**more: Any) -> dict[str, Any]:
    """A cluster with all that belongs to it; `more` are properties of the cluster."""
    given = {
        "DBClusterIdentifier": "Lineage",
        "EngineVersion": "1.4.5.1",
        "DBSubnetGroupName": ref("Subnets"),
        "DBClusterParameterGroupName": ref("ClusterParameters"),
        "VpcSecurityGroupIds": [ref("Group")],
        "DBPort": "8182",
        "IamAuthEnabled": True,
        "StorageEncrypted": "true",
        "BackupRetentionPeriod": "35",
        "CopyTagsToSnapshot": True,
        "DeletionProtection": True,
        "EnableCloudwatchLogsExports": ["audit"],
        "PreferredBackupWindow": "01:00-02:00",
        "PreferredMaintenanceWindow": "sun:03:00-sun:04:00",
        "ServerlessScalingConfiguration": {"MinCapacity": "1", "MaxCapacity": 8},
        "Tags": tags(Name="lineage"),
    }
    return {
        "Vpc": VPC,
        **SUBNETS,
        "Group": resource("EC2::SecurityGroup", {"GroupDescription": "graph", "VpcId": ref("Vpc")}),
        "Subnets": resource(
            "Neptune::DBSubnetGroup",
            {
                "DBSubnetGroupName": "lineage",
                "DBSubnetGroupDescription": "private",
                "SubnetIds": [ref("SubnetA"), ref("SubnetB")],
            },
        ),
        "ClusterParameters": parameters("DBClusterParameterGroup", neptune_enable_audit_log="1"),
        "Cluster": resource("Neptune::DBCluster", {**given, **more}),
    }


def parameters(kind: str, family: str = "neptune1.4", **values: str) -> dict[str, Any]:
    given = {"Family": family, "Description": "lineage", "Parameters": values, "Tags": tags(Team="lineage")}
    return resource(f"Neptune::{kind}", given)


def cluster_of(stack: Stack) -> Any:
    (found,) = stack.client("neptune").describe_db_clusters(DBClusterIdentifier="lineage")["DBClusters"]
    return found


def test_a_graph_is_made_as_its_properties_say(stack: Stack) -> None:
    attributes = [f"Cluster.{name}" for name in ("Endpoint", "ReadEndpoint", "Port", "ClusterResourceId")]
    made = stack.put(*attributes, **graph())
    neptune, cluster = stack.client("neptune"), cluster_of(stack)
    assert made["Cluster"] == cluster["DBClusterIdentifier"] == "lineage"
    assert (made["ClusterEndpoint"], made["ClusterReadEndpoint"]) == (cluster["Endpoint"], cluster["ReaderEndpoint"])
    assert cluster["Endpoint"].startswith("lineage.cluster-")
    assert cluster["Endpoint"].endswith(".eu-central-1.neptune.amazonaws.com")
    assert (made["ClusterPort"], made["ClusterClusterResourceId"]) == ("8182", cluster["DbClusterResourceId"])
    assert {
        "Engine": "neptune",
        "EngineVersion": "1.4.5.1",
        "DBSubnetGroup": "lineage",
        "DBClusterParameterGroup": made["ClusterParameters"],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": made["Group"], "Status": "active"}],
        "Port": 8182,
        "IAMDatabaseAuthenticationEnabled": True,
        "StorageEncrypted": True,
        "BackupRetentionPeriod": 35,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": True,
        "EnabledCloudwatchLogsExports": ["audit"],
        "PreferredBackupWindow": "01:00-02:00",
        "PreferredMaintenanceWindow": "sun:03:00-sun:04:00",
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 1.0, "MaxCapacity": 8.0},
    }.items() <= cluster.items()
    assert neptune.list_tags_for_resource(ResourceName=cluster["DBClusterArn"])["TagList"] == tags(Name="lineage")
    (subnets,) = neptune.describe_db_subnet_groups(DBSubnetGroupName="lineage")["DBSubnetGroups"]
    assert {each["SubnetIdentifier"] for each in subnets["Subnets"]} == {made["SubnetA"], made["SubnetB"]}
    assert subnets["DBSubnetGroupDescription"] == "private"


def test_a_graph_is_changed_where_it_stands(stack: Stack) -> None:
    made = stack.put("Cluster.ClusterResourceId", **graph())
    second = graph(
        IamAuthEnabled=False,
        BackupRetentionPeriod=7,
        CopyTagsToSnapshot=False,
        EngineVersion="1.4.6.0",
        EnableCloudwatchLogsExports=["slowquery"],
        ServerlessScalingConfiguration={"MinCapacity": 2, "MaxCapacity": 16},
        Tags=tags(Team="lineage"),
    )
    del second["Cluster"]["Properties"]["DeletionProtection"]
    second["Subnets"]["Properties"]["DBSubnetGroupDescription"] = "other"
    changed = stack.put("Cluster.ClusterResourceId", **second)
    assert changed["ClusterClusterResourceId"] == made["ClusterClusterResourceId"], "the cluster was replaced"
    cluster, neptune = cluster_of(stack), stack.client("neptune")
    assert {
        "IAMDatabaseAuthenticationEnabled": False,
        "BackupRetentionPeriod": 7,
        "CopyTagsToSnapshot": False,
        "DeletionProtection": False,
        "EngineVersion": "1.4.6.0",
        "EnabledCloudwatchLogsExports": ["slowquery"],
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 2.0, "MaxCapacity": 16.0},
    }.items() <= cluster.items()
    assert neptune.list_tags_for_resource(ResourceName=cluster["DBClusterArn"])["TagList"] == tags(Team="lineage")
    (subnets,) = neptune.describe_db_subnet_groups(DBSubnetGroupName="lineage")["DBSubnetGroups"]
    assert subnets["DBSubnetGroupDescription"] == "other"


def test_a_graph_has_the_roles_of_its_template_and_those_that_others_gave_it(stack: Stack) -> None:
    def arn(name: str) -> str:
        return f"arn:aws:iam::{stack.account}:role/{name}"

    def roles() -> set[str]:
        return {each["RoleArn"] for each in cluster_of(stack)["AssociatedRoles"]}

    stack.put(**graph(AssociatedRoles=[{"RoleArn": arn("a")}, {"RoleArn": arn("b")}]))
    assert roles() == {arn("a"), arn("b")}
    stack.client("neptune").add_role_to_db_cluster(DBClusterIdentifier="lineage", RoleArn=arn("other"))
    stack.put(**graph(AssociatedRoles=[{"RoleArn": arn("b")}, {"RoleArn": arn("c")}]))
    assert roles() == {arn("b"), arn("c"), arn("other")}
    stack.put(**graph())
    assert roles() == {arn("other")}


def test_a_protected_graph_keeps_its_stack_from_being_deleted(stack: Stack) -> None:
    stack.put(**graph())
    stack.cloudformation.delete_stack(StackName="stack")
    assert stack.stack["StackStatus"] == "DELETE_FAILED"
    assert "disable deletion protection" in stack.stack["StackStatusReason"]
    assert cluster_of(stack)["Status"] == "available"


@pytest.mark.parametrize(("kept", "left"), [("Delete", 0), ("Snapshot", 1)])
def test_a_graph_that_is_deleted_leaves_a_snapshot_where_the_template_says_so(
    stack: Stack, kept: str, left: int
) -> None:
    template = graph(DeletionProtection=False)
    template["Cluster"]["DeletionPolicy"] = kept
    stack.put(**template)
    stack.delete()
    neptune = stack.client("neptune")
    assert neptune.describe_db_clusters()["DBClusters"] == []
    snapshots = neptune.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    assert [each["DBClusterIdentifier"] for each in snapshots] == ["lineage"] * left
    assert all(each["DBClusterSnapshotIdentifier"].startswith("stack-cluster-snapshot-") for each in snapshots)


def test_a_graph_that_is_replaced_leaves_a_snapshot_where_the_template_says_so(stack: Stack) -> None:
    first = graph(DeletionProtection=False)
    del first["Cluster"]["Properties"]["DBClusterIdentifier"]
    made = stack.put(**first)
    second = graph(DeletionProtection=False, StorageEncrypted=False)
    del second["Cluster"]["Properties"]["DBClusterIdentifier"]
    second["Cluster"]["UpdateReplacePolicy"] = "Snapshot"
    changed = stack.put(**second)
    assert changed["Cluster"] != made["Cluster"]
    neptune = stack.client("neptune")
    (cluster,) = neptune.describe_db_clusters()["DBClusters"]
    assert (cluster["DBClusterIdentifier"], cluster["StorageEncrypted"]) == (changed["Cluster"], False)
    (snapshot,) = neptune.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    assert snapshot["DBClusterIdentifier"] == made["Cluster"]


def test_snapshot_is_refused_for_a_type_that_has_none(stack: Stack) -> None:
    with pytest.raises(ClientError, match=r"the DeletionPolicy Snapshot \(resource Vpc\)"):
        stack.put(Vpc={**VPC, "DeletionPolicy": "Snapshot"})


def test_a_second_stack_cannot_have_the_same_names(cloud: Cloud, stack: Stack) -> None:
    stack.put(**graph())
    other = Stack(cloud, stack.account, "other")
    for name, why in (("Cluster", "already exists"), ("Subnets", "already exists")):
        template = {key: value for key, value in graph().items() if key != "Subnets" or name == "Subnets"}
        if name == "Cluster":
            template["Cluster"]["Properties"]["DBSubnetGroupName"] = "lineage"
        with pytest.raises(AssertionError, match=f"ResourceLogicalId:{name}.*{why}"):
            other.put(**template)
        other.cloudformation.delete_stack(StackName="other")
    assert cluster_of(stack)["DeletionProtection"] is True


def test_instances_and_parameter_groups_are_made_changed_and_deleted(stack: Stack) -> None:
    neptune = stack.client("neptune")

    def with_instance(size: str, upgrade: bool, **values: str) -> dict[str, Any]:
        given = {
            "DBInstanceIdentifier": "lineage-1",
            "DBClusterIdentifier": ref("Cluster"),
            "DBInstanceClass": size,
            "DBParameterGroupName": ref("Parameters"),
            "AutoMinorVersionUpgrade": upgrade,
            "AvailabilityZone": "eu-central-1a",
            "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
        }
        return {
            **graph(DeletionProtection=False),
            "Parameters": parameters("DBParameterGroup", **values),
            "First": resource("Neptune::DBInstance", {**given, "Tags": tags(Name=size)}),
        }

    def values_of(group: str) -> dict[str, str]:
        found = neptune.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
        return {each["ParameterName"]: each["ParameterValue"] for each in found}

    made = stack.put(
        "First.Endpoint", "First.Port", **with_instance("db.serverless", True, neptune_query_timeout="1", other="2")
    )
    (instance,) = neptune.describe_db_instances(DBInstanceIdentifier="lineage-1")["DBInstances"]
    assert (made["First"], made["FirstPort"], made["FirstEndpoint"]) == (
        "lineage-1",
        "8182",
        instance["Endpoint"]["Address"],
    )
    assert made["FirstEndpoint"].endswith(".eu-central-1.neptune.amazonaws.com")
    assert (instance["DBInstanceClass"], instance["AvailabilityZone"]) == ("db.serverless", "eu-central-1a")
    assert (instance["DBClusterIdentifier"], instance["AutoMinorVersionUpgrade"]) == ("lineage", True)
    assert instance["PreferredMaintenanceWindow"] == "sun:05:00-sun:06:00"
    assert [each["DBParameterGroupName"] for each in instance["DBParameterGroups"]] == [made["Parameters"]]
    assert neptune.list_tags_for_resource(ResourceName=instance["DBInstanceArn"])["TagList"] == tags(
        Name="db.serverless"
    )
    assert values_of(made["Parameters"]) == {"neptune_query_timeout": "1", "other": "2"}
    (group,) = neptune.describe_db_parameter_groups(DBParameterGroupName=made["Parameters"])["DBParameterGroups"]
    assert (group["DBParameterGroupFamily"], group["Description"]) == ("neptune1.4", "lineage")

    changed = stack.put(**with_instance("db.r6g.large", False, neptune_query_timeout="3"))
    assert (changed["First"], changed["Parameters"]) == (made["First"], made["Parameters"])
    (instance,) = neptune.describe_db_instances()["DBInstances"]
    assert (instance["DBInstanceClass"], instance["AutoMinorVersionUpgrade"]) == ("db.r6g.large", False)
    assert values_of(made["Parameters"]) == {"neptune_query_timeout": "3"}
    stack.delete()
    assert neptune.describe_db_instances()["DBInstances"] == neptune.describe_db_clusters()["DBClusters"] == []
    assert neptune.describe_db_parameter_groups()["DBParameterGroups"] == []
    assert neptune.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"] == []
    assert neptune.describe_db_subnet_groups()["DBSubnetGroups"] == []


# --- CloudWatch and its logs


def test_an_alarm_is_made_changed_and_deleted_and_keeps_its_state(stack: Stack) -> None:
    cloudwatch = stack.client("cloudwatch")

    def alarm(**more: Any) -> dict[str, Any]:
        given = {
            "AlarmName": "errors",
            "AlarmDescription": "it fails",
            "AlarmActions": ["arn:aws:sns:eu-central-1:111122223333:errors"],
            "OKActions": ["arn:aws:sns:eu-central-1:111122223333:ok"],
            "ComparisonOperator": "GreaterThanThreshold",
            "DatapointsToAlarm": "1",
            "Dimensions": [{"Name": "FunctionName", "Value": "ingest"}],
            "EvaluationPeriods": "2",
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Period": 300,
            "Statistic": "Sum",
            "Threshold": "0",
            "TreatMissingData": "notBreaching",
            "Tags": tags(Name="errors"),
        }
        return resource("CloudWatch::Alarm", {**given, **more})

    def read() -> Any:
        (found,) = cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
        return found

    made = stack.put("It.Arn", It=alarm())
    found = read()
    assert (made["It"], made["ItArn"]) == ("errors", found["AlarmArn"])
    assert {
        "AlarmDescription": "it fails",
        "AlarmActions": ["arn:aws:sns:eu-central-1:111122223333:errors"],
        "OKActions": ["arn:aws:sns:eu-central-1:111122223333:ok"],
        "ComparisonOperator": "GreaterThanThreshold",
        "DatapointsToAlarm": 1,
        "Dimensions": [{"Name": "FunctionName", "Value": "ingest"}],
        "EvaluationPeriods": 2,
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Period": 300,
        "Statistic": "Sum",
        "Threshold": 0.0,
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": True,
    }.items() <= found.items()
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == tags(Name="errors")
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    stack.put(It=alarm(Threshold=5, ActionsEnabled="false", Tags=tags(Team="lineage")))
    found = read()
    assert (found["Threshold"], found["ActionsEnabled"], found["StateValue"]) == (5.0, False, "ALARM")
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == tags(Team="lineage")
    stack.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_that_changes_its_state_tells_the_topic_of_that_state(cloud: Cloud, stack: Stack) -> None:
    sns, sqs, cloudwatch = (stack.client(name) for name in ("sns", "sqs", "cloudwatch"))
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("errors", "fine")}
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*"}
    statement = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(statement)})
    for topic in topics.values():
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def admit(name: str, service: str) -> None:
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": topics[name],
        }
        policy = {"Version": "2012-10-17", "Statement": [allow]}
        sns.set_topic_attributes(TopicArn=topics[name], AttributeName="Policy", AttributeValue=json.dumps(policy))

    given = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 0, "Period": 60}
    given |= {"AlarmName": "it", "MetricName": "Errors", "Namespace": "AWS/Lambda", "Statistic": "Sum"}
    stack.put(
        It=resource("CloudWatch::Alarm", {**given, "AlarmActions": [topics["errors"]], "OKActions": [topics["fine"]]})
    )

    def told(state: str) -> list[tuple[str, str, str]]:
        cloudwatch.set_alarm_state(AlarmName="it", StateValue=state, StateReason="test")
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        texts = [json.loads(each["Body"]) for each in messages]
        return [(each["AlarmName"], each["OldStateValue"], each["NewStateValue"]) for each in texts]

    admit("errors", "events.amazonaws.com")
    assert told("ALARM") == [], "the topic does not admit CloudWatch"
    assert told("OK") == [("it", "ALARM", "OK")], "of a topic's default policy"
    admit("errors", "cloudwatch.amazonaws.com")
    assert told("ALARM") == [("it", "OK", "ALARM")]
    assert told("ALARM") == [], "it is in that state"
    cloudwatch.disable_alarm_actions(AlarmNames=["it"])
    assert told("OK") == []


def test_an_alarm_may_be_of_expressions(stack: Stack) -> None:
    stat = {"Metric": {"Namespace": "orgctl", "MetricName": "Facts"}, "Period": 60, "Stat": "Sum"}
    metrics = [
        {"Id": "facts", "MetricStat": stat, "ReturnData": False},
        {"Id": "rate", "Expression": "facts / 60", "Label": "per second"},
    ]
    given = {"ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "Threshold": 1, "Metrics": metrics}
    made = stack.put(It=resource("CloudWatch::Alarm", given))
    assert made["It"].startswith("stack-It-")
    (found,) = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    facts, rate = found["Metrics"]
    assert (facts["MetricStat"]["Metric"]["MetricName"], facts["ReturnData"]) == ("Facts", False)
    assert (rate["Expression"], rate["Label"]) == ("facts / 60", "per second")


def test_a_dashboard_and_a_metric_filter_are_made_changed_and_deleted(stack: Stack) -> None:
    cloudwatch, logs = stack.client("cloudwatch"), stack.client("logs")

    def both(text: str, **more: str) -> dict[str, Any]:
        transformation = {"MetricName": "Failed", "MetricNamespace": "orgctl", "MetricValue": "1", **more}
        given = {"FilterName": "failed", "FilterPattern": text, "LogGroupName": ref("Logs")}
        body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": text}}]})
        return {
            "Logs": resource("Logs::LogGroup", {"LogGroupName": "/it"}),
            "Board": resource("CloudWatch::Dashboard", {"DashboardName": "lineage", "DashboardBody": body}),
            "Filter": resource("Logs::MetricFilter", {**given, "MetricTransformations": [transformation]}),
        }

    for text, more in (("first", {}), ("second", {"DefaultValue": "0"})):
        made = stack.put(**both(text, **more))
        assert (made["Board"], made["Filter"]) == ("lineage", "failed")
        assert text in cloudwatch.get_dashboard(DashboardName="lineage")["DashboardBody"]
        (found,) = logs.describe_metric_filters(logGroupName="/it")["metricFilters"]
        assert (found["filterPattern"], found["filterName"]) == (text, "failed")
        (transformation,) = found["metricTransformations"]
        assert (transformation["metricName"], transformation["metricValue"]) == ("Failed", "1")
        assert ("defaultValue" in transformation) is bool(more)
    stack.delete()
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


@pytest.mark.parametrize("name", ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::MetricFilter"])
def test_what_would_be_written_over_is_refused_to_a_second_stack(cloud: Cloud, stack: Stack, name: str) -> None:
    stack.client("logs").create_log_group(logGroupName="/it")
    transformation = {"MetricName": "a", "MetricNamespace": "b", "MetricValue": "1"}
    properties = {
        "AWS::CloudWatch::Alarm": {
            "AlarmName": "it",
            "ComparisonOperator": "LessThanThreshold",
            "EvaluationPeriods": 1,
        },
        "AWS::CloudWatch::Dashboard": {"DashboardName": "it", "DashboardBody": "{}"},
        "AWS::Logs::MetricFilter": {
            "FilterName": "it",
            "FilterPattern": "",
            "LogGroupName": "/it",
            "MetricTransformations": [transformation],
        },
    }
    stack.put(It={"Type": name, "Properties": properties[name]})
    with pytest.raises(AssertionError, match="it already exists"):
        Stack(cloud, stack.account, "other").put(It={"Type": name, "Properties": properties[name]})


def test_the_server_makes_the_same_calls() -> None:
    server = Sandbox()
    server.start()
    try:
        cloud = Cloud(server.session(HOME))
        made = Stack(cloud, cloud.make_account())
        made.put("Cluster.Endpoint", **graph())
        assert cluster_of(made)["IAMDatabaseAuthenticationEnabled"] is True
    finally:
        server.stop()


def test_a_bucket_has_rules_for_how_long_it_keeps_objects_and_for_who_reads_them(stack: Stack) -> None:
    s3 = stack.client("s3")
    rules: list[dict[str, Any]] = [
        {
            "Id": "old",
            "Status": "Enabled",
            "Prefix": "events/",
            "ExpirationInDays": "400",
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
    s3.create_bucket(Bucket="logs-of-it", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_policy(
        Bucket="logs-of-it",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "logging.s3.amazonaws.com"},
                        "Action": "s3:PutObject",
                        "Resource": "arn:aws:s3:::logs-of-it/*",
                    }
                ],
            }
        ),
    )
    given = {"BucketName": "it-keeps", "LifecycleConfiguration": {"Rules": rules}}
    logging = {"DestinationBucketName": "logs-of-it", "LogFilePrefix": "it/"}
    stack.put(It=resource("S3::Bucket", {**given, "LoggingConfiguration": logging}))
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket="it-keeps")["Rules"]
    assert (rule["ID"], rule["Status"], rule["Filter"]) == ("old", "Enabled", {"Prefix": "events/"})
    assert rule["Expiration"]["Days"] == 400
    assert rule["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER"}]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    enabled = s3.get_bucket_logging(Bucket="it-keeps")["LoggingEnabled"]
    assert (enabled["TargetBucket"], enabled["TargetPrefix"]) == ("logs-of-it", "it/")
    stack.put(It=resource("S3::Bucket", {"BucketName": "it-keeps"}))
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="it-keeps")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="it-keeps")
    rules[0]["TagFilters"] = []
    stack.cloudformation.update_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": {"It": resource("S3::Bucket", given)}})
    )
    assert "does not emulate TagFilters of a lifecycle rule" in stack.stack["StackStatusReason"]


# --- an update that fails is taken back


def test_everything_is_as_it_was_after_an_update_that_fails(stack: Stack) -> None:
    def template(cidr: str, days: int, log: str, text: str, end: str) -> dict[str, Any]:
        s3 = {"VpcId": ref("Vpc"), "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}}
        transformation = {"MetricName": "Failed", "MetricNamespace": "orgctl", "MetricValue": "1"}
        filter = {"FilterName": "it", "FilterPattern": text, "LogGroupName": ref("Logs")}
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": cidr}
        given = {"GroupDescription": "it", "VpcId": ref("Vpc"), "SecurityGroupIngress": [rule]}
        return {
            **graph(BackupRetentionPeriod=days, EnableCloudwatchLogsExports=[log]),
            "TableA": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
            "TableB": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
            "S3": resource("EC2::VPCEndpoint", {**s3, "RouteTableIds": [ref(f"Table{end}")]}),
            "Rules": resource("EC2::SecurityGroup", given),
            "Logs": resource("Logs::LogGroup", {"LogGroupName": "/it"}),
            "Filter": resource("Logs::MetricFilter", {**filter, "MetricTransformations": [transformation]}),
        }

    ec2 = stack.client("ec2")
    ec2.describe_managed_prefix_lists()
    made = stack.put(**template("10.0.0.0/8", 7, "audit", "first", "A"))

    def state() -> Any:
        cluster, (group,) = cluster_of(stack), ec2.describe_security_groups(GroupIds=[made["Rules"]])["SecurityGroups"]
        tables = ec2.describe_route_tables(RouteTableIds=[made["TableA"], made["TableB"]])["RouteTables"]
        (filter,) = stack.client("logs").describe_metric_filters(logGroupName="/it")["metricFilters"]
        return (
            (cluster["BackupRetentionPeriod"], cluster["EnabledCloudwatchLogsExports"]),
            [each["CidrIp"] for rule in group["IpPermissions"] for each in rule["IpRanges"]],
            [len(table["Routes"]) for table in tables],
            filter["filterPattern"],
        )

    before = state()
    assert before == ((7, ["audit"]), ["10.0.0.0/8"], [2, 1], "first")
    for broken in (
        {
            "Last": resource(
                "EC2::Subnet",
                {"VpcId": ref("Vpc"), "CidrBlock": "192.168.0.0/24"},
                DependsOn=["Cluster", "S3", "Rules", "Filter"],
            )
        },
        {"Rules": template("not an address", 7, "audit", "first", "A")["Rules"]},
    ):
        with pytest.raises(AssertionError):
            stack.put(**{**template("10.9.0.0/16", 14, "slowquery", "second", "B"), **broken})
        assert stack.stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stack.stack["StackStatusReason"]
        assert state() == before
