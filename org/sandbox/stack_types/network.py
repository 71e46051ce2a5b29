"""AWS::EC2::VPC, Subnet, RouteTable, Route, SubnetRouteTableAssociation and FlowLog.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from org.sandbox.stack_types.by_calls import CallType, Here, Step, Value, made_of, own_id, prop, same
from org.sandbox.stack_types.interface import Shape

_TARGETS = (
    "CarrierGatewayId",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def one(value: Value) -> Value:
    """Answer a list of it."""
    return lambda here: [value(here)]


def write_ec2_tags(here: Here, tags: Mapping[str, str], removed: Sequence[str]) -> None:
    if tags:
        here.call("CreateTags", Resources=[here.id], Tags=[{"Key": key, "Value": tags[key]} for key in tags])
    if removed:
        here.call("DeleteTags", Resources=[here.id], Tags=[{"Key": key} for key in removed])


def _destination(here: Here) -> str:
    return str(next(here.get(name) for name in _DESTINATIONS if here.get(name)))


def _default_group(here: Here) -> Any:
    filters = [{"Name": "vpc-id", "Values": [here.id]}, {"Name": "group-name", "Values": ["default"]}]
    return here.call("DescribeSecurityGroups", Filters=filters)["SecurityGroups"][0]["GroupId"]


VPC = CallType(
    Shape(
        "AWS::EC2::VPC",
        properties=frozenset({"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags"}),
        attributes=frozenset({"CidrBlock", "DefaultSecurityGroup", "VpcId"}),
        replaced_by=frozenset({"CidrBlock", "InstanceTenancy"}),
    ),
    "ec2",
    create=Step("CreateVpc", same("CidrBlock", "InstanceTenancy")),
    made="Vpc.VpcId",
    then=(
        *(
            Step("ModifyVpcAttribute", {"VpcId": own_id, name: made_of(Value=prop(name, default))})
            for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False))
        ),
    ),
    remove=Step("DeleteVpc", {"VpcId": own_id}),
    read=Step("DescribeVpcs", {"VpcIds": one(own_id)}),
    attributes={"CidrBlock": "Vpcs.0.CidrBlock", "DefaultSecurityGroup": _default_group, "VpcId": own_id},
    tags=write_ec2_tags,
)

SUBNET = CallType(
    Shape(
        "AWS::EC2::Subnet",
        properties=frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"}),
        attributes=frozenset({"AvailabilityZone", "CidrBlock", "SubnetId", "VpcId"}),
        replaced_by=frozenset({"AvailabilityZone", "CidrBlock", "VpcId"}),
    ),
    "ec2",
    create=Step("CreateSubnet", same("AvailabilityZone", "CidrBlock", "VpcId")),
    made="Subnet.SubnetId",
    then=(
        Step(
            "ModifySubnetAttribute",
            {"SubnetId": own_id, "MapPublicIpOnLaunch": made_of(Value=prop("MapPublicIpOnLaunch", False))},
        ),
    ),
    remove=Step("DeleteSubnet", {"SubnetId": own_id}),
    read=Step("DescribeSubnets", {"SubnetIds": one(own_id)}),
    attributes={
        "AvailabilityZone": "Subnets.0.AvailabilityZone",
        "CidrBlock": "Subnets.0.CidrBlock",
        "SubnetId": own_id,
        "VpcId": "Subnets.0.VpcId",
    },
    tags=write_ec2_tags,
)

ROUTE_TABLE = CallType(
    Shape(
        "AWS::EC2::RouteTable",
        properties=frozenset({"Tags", "VpcId"}),
        attributes=frozenset({"RouteTableId"}),
        replaced_by=frozenset({"VpcId"}),
    ),
    "ec2",
    create=Step("CreateRouteTable", same("VpcId")),
    made="RouteTable.RouteTableId",
    remove=Step("DeleteRouteTable", {"RouteTableId": own_id}),
    attributes={"RouteTableId": own_id},
    tags=write_ec2_tags,
)

ROUTE = CallType(
    Shape(
        "AWS::EC2::Route",
        properties=frozenset({"RouteTableId", *_TARGETS, *_DESTINATIONS}),
        attributes=frozenset({"CidrBlock"}),
        replaced_by=frozenset({"RouteTableId", *_DESTINATIONS}),
    ),
    "ec2",
    create=Step("CreateRoute", same("RouteTableId", *_TARGETS, *_DESTINATIONS)),
    made=lambda here: f"{here.get('RouteTableId')}|{_destination(here)}",
    update=(Step("ReplaceRoute", same("RouteTableId", *_TARGETS, *_DESTINATIONS)),),
    remove=Step("DeleteRoute", same("RouteTableId", *_DESTINATIONS)),
    attributes={"CidrBlock": _destination},
)

ROUTE_TABLE_ASSOCIATION = CallType(
    Shape(
        "AWS::EC2::SubnetRouteTableAssociation",
        properties=frozenset({"RouteTableId", "SubnetId"}),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset({"RouteTableId", "SubnetId"}),
    ),
    "ec2",
    create=Step("AssociateRouteTable", same("RouteTableId", "SubnetId")),
    made="AssociationId",
    remove=Step("DisassociateRouteTable", {"AssociationId": own_id}),
    attributes={"Id": own_id},
)

FLOW_LOG = CallType(
    Shape(
        "AWS::EC2::FlowLog",
        properties=frozenset(
            {
                "DeliverLogsPermissionArn",
                "LogDestination",
                "LogDestinationType",
                "LogFormat",
                "LogGroupName",
                "MaxAggregationInterval",
                "ResourceId",
                "ResourceType",
                "Tags",
                "TrafficType",
            }
        ),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset(
            {
                "DeliverLogsPermissionArn",
                "LogDestination",
                "LogDestinationType",
                "LogFormat",
                "LogGroupName",
                "MaxAggregationInterval",
                "ResourceId",
                "ResourceType",
                "TrafficType",
            }
        ),
    ),
    "ec2",
    create=Step(
        "CreateFlowLogs",
        {
            **same("DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogFormat", "LogGroupName"),
            **same("MaxAggregationInterval", "ResourceType", "TrafficType"),
            "ResourceIds": one(prop("ResourceId")),
        },
    ),
    made="FlowLogIds.0",
    remove=Step("DeleteFlowLogs", {"FlowLogIds": one(own_id)}),
    attributes={"Id": own_id},
    tags=write_ec2_tags,
)


NETWORK = (VPC, SUBNET, ROUTE_TABLE, ROUTE, ROUTE_TABLE_ASSOCIATION, FLOW_LOG)
