"""AWS::EC2::VPCEndpoint.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.utils import random_private_ip

from org.sandbox.ec2_backend import find_backend
from org.sandbox.stack_types.by_calls import CallType, Here, Step, own_id, same
from org.sandbox.stack_types.interface import Shape
from org.sandbox.stack_types.network import one, write_ec2_tags


def _change_endpoint(here: Here) -> None:
    """Change what can be; moto forgets what follows from it: routes, network interfaces and private names."""
    changes: dict[str, Any] = {}
    for name in ("RouteTableIds", "SecurityGroupIds", "SubnetIds"):
        before, after = here.had(name) or [], here.get(name) or []
        changes[f"Add{name}"] = [each for each in after if each not in before]
        changes[f"Remove{name}"] = [each for each in before if each not in after]
    backend = find_backend(here.wanted.account_id, here.wanted.region)
    endpoint = backend.vpc_end_points[here.id]
    policy = here.get("PolicyDocument") or endpoint.DEFAULT_POLICY
    here.call("ModifyVpcEndpoint", VpcEndpointId=here.id, PolicyDocument=policy, **changes)
    endpoint.private_dns_enabled = here.get("PrivateDnsEnabled") in (True, "true")
    listed = endpoint.destination_prefix_list_id
    for table in (*changes["AddRouteTableIds"], *changes["RemoveRouteTableIds"]) if listed else ():
        routes = backend.get_route_table(table).routes
        is_there = any(route.destination_prefix_list_id == listed for route in routes)
        if table in endpoint.route_table_ids and not is_there:
            backend.create_route(table, None, gateway_id=here.id, destination_prefix_list_id=listed)
        if table not in endpoint.route_table_ids and is_there:
            backend.delete_route(table, "", destination_prefix_list_id=listed)
    interfaces = {id: backend.get_network_interface(id).subnet.id for id in endpoint.network_interface_ids}
    for id in [id for id, subnet in interfaces.items() if subnet in changes["RemoveSubnetIds"]]:
        backend.enis.pop(id)
        endpoint.network_interface_ids.remove(id)
    for subnet in [each for each in changes["AddSubnetIds"] if each not in interfaces.values()]:
        endpoint.network_interface_ids.append(backend.create_network_interface(subnet, random_private_ip()).id)


def _delete_endpoint(here: Here) -> None:
    """Delete it; AWS shows it as deleted for a while, and here it is gone."""
    here.call("DeleteVpcEndpoints", VpcEndpointIds=[here.id])
    find_backend(here.wanted.account_id, here.wanted.region).vpc_end_points.pop(here.id, None)


def _endpoint(here: Here) -> Any:
    return here.call("DescribeVpcEndpoints", VpcEndpointIds=[here.id])["VpcEndpoints"][0]


ENDPOINT = CallType(
    Shape(
        "AWS::EC2::VPCEndpoint",
        properties=frozenset(
            {
                "PolicyDocument",
                "PrivateDnsEnabled",
                "RouteTableIds",
                "SecurityGroupIds",
                "ServiceName",
                "SubnetIds",
                "Tags",
                "VpcEndpointType",
                "VpcId",
            }
        ),
        attributes=frozenset({"CreationTimestamp", "DnsEntries", "Id", "NetworkInterfaceIds"}),
        replaced_by=frozenset({"ServiceName", "VpcEndpointType", "VpcId"}),
    ),
    "ec2",
    create=Step(
        "CreateVpcEndpoint",
        {
            **same("PolicyDocument", "RouteTableIds", "SecurityGroupIds", "ServiceName", "SubnetIds", "VpcId"),
            **same(PrivateDnsEnabled=False, VpcEndpointType="Gateway"),
        },
    ),
    made="VpcEndpoint.VpcEndpointId",
    update=(_change_endpoint,),
    remove=_delete_endpoint,
    read=Step("DescribeVpcEndpoints", {"VpcEndpointIds": one(own_id)}),
    attributes={
        "CreationTimestamp": lambda here: _endpoint(here)["CreationTimestamp"].isoformat(),
        "DnsEntries": lambda here: [
            f"{each['HostedZoneId']}:{each['DnsName']}" for each in _endpoint(here)["DnsEntries"]
        ],
        "Id": own_id,
        "NetworkInterfaceIds": "VpcEndpoints.0.NetworkInterfaceIds",
    },
    tags=write_ec2_tags,
)
