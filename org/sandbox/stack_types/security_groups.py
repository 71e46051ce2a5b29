"""AWS::EC2::SecurityGroup, SecurityGroupIngress and SecurityGroupEgress.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from org.sandbox.ec2_backend import DESCRIPTION, find_backend
from org.sandbox.own_calls import CallRefused
from org.sandbox.stack_types.by_calls import CallType, Here, Step, own_id, own_name, prop, same
from org.sandbox.stack_types.interface import ResourceRefused, Shape
from org.sandbox.stack_types.network import one, write_ec2_tags

Way = Literal["Ingress", "Egress"]

_PEER: Mapping[Way, str] = {"Ingress": "Source", "Egress": "Destination"}
_PORTS = ("FromPort", "IpProtocol", "ToPort")
_RANGES = {"CidrIp": ("IpRanges", "CidrIp"), "CidrIpv6": ("Ipv6Ranges", "CidrIpv6")}


def _ranges(way: Way) -> dict[str, tuple[str, str]]:
    """Answer, by property, the list and the member of a permission in which EC2 has it."""
    peer = _PEER[way]
    return _RANGES | {
        f"{peer}PrefixListId": ("PrefixListIds", "PrefixListId"),
        f"{peer}SecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }


def _permission(rule: Mapping[str, Any], way: Way) -> dict[str, Any]:
    """Answer a rule as EC2 has it.  Raises ResourceRefused for a property that is not honoured."""
    ranges = _ranges(way)
    for name in rule:
        if name not in (*_PORTS, *ranges, "Description", "GroupId"):
            raise ResourceRefused(f"the orgctl sandbox does not emulate the property {name} of a rule")
    permission: dict[str, Any] = {name: rule[name] for name in _PORTS if name in rule}
    described = {"Description": rule["Description"]} if rule.get("Description") else {}
    for name, (kind, member) in ranges.items():
        if rule.get(name):
            permission[kind] = [{member: rule[name], **described}]
    if not set(permission) - set(_PORTS):
        raise ResourceRefused("Either a range of addresses, a prefix list or a security group must be specified")
    return permission


def _describe(here: Here, group_id: str, rule_id: str, text: str) -> None:
    """Write a rule's description, which moto keeps of addresses and groups alone, and does not change."""
    group = find_backend(here.wanted.account_id, here.wanted.region).get_security_group_from_id(group_id)
    rule = group.get_rule(rule_id) if group else None
    if rule is not None:
        place = rule.source_group or rule.ip_range or vars(rule)
        place.pop(DESCRIPTION, None)
        if text:
            place[DESCRIPTION] = text


def _key(rule: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in rule.items()}


def _write_rules(here: Here) -> None:
    """Have the group have its rules: those of `SecurityGroupEgress` in place of the one for anywhere.

    [H]: where an update takes the property away, the rules that it had go, and none comes back.
    """
    for way in ("Ingress", "Egress"):
        name = f"SecurityGroup{way}"
        wanted = [(_key(rule), _permission(rule, way), rule.get("Description", "")) for rule in here.get(name) or []]
        had = [(_key(rule), rule) for rule in here.had(name) or []]
        if way == "Egress" and here.old is None and wanted:
            here.call("RevokeSecurityGroupEgress", GroupId=here.id, IpPermissions=[_ANYWHERE])
        keys, known = [key for key, *_ in wanted], [key for key, _ in had]
        for key, rule in had:
            if key not in keys:
                _revoke(here, way, rule)
        for key, permission, text in wanted:
            if key not in known:
                _authorize(here, way, permission, text)


def _revoke(here: Here, way: Way, rule: Mapping[str, Any]) -> None:
    """Take a rule away; where an update failed over it, and is taken back, it was never made."""
    try:
        here.call(f"RevokeSecurityGroup{way}", GroupId=here.id, IpPermissions=[_permission(rule, way)])
    except CallRefused as refused:
        if refused.code != "InvalidPermission.NotFound":
            raise
    except ResourceRefused:
        return


def _authorize(here: Here, way: Way, permission: Mapping[str, Any], text: str) -> None:
    """Make a rule; where a failed update is taken back, it may not have gone."""
    try:
        made = here.call(f"AuthorizeSecurityGroup{way}", GroupId=here.id, IpPermissions=[permission])
    except CallRefused as refused:
        if here.old is None or refused.code != "InvalidPermission.Duplicate":
            raise
        return
    _describe(here, here.id, made["SecurityGroupRules"][0]["SecurityGroupRuleId"], text)


_ANYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}

GROUP = CallType(
    Shape(
        "AWS::EC2::SecurityGroup",
        properties=frozenset(
            {"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"}
        ),
        attributes=frozenset({"GroupId", "Id", "VpcId"}),
        name_property="GroupName",
        name_limit=255,
        replaced_by=frozenset({"GroupDescription", "VpcId"}),
    ),
    "ec2",
    create=Step(
        "CreateSecurityGroup", {"Description": prop("GroupDescription"), "GroupName": own_name, **same("VpcId")}
    ),
    made="GroupId",
    then=(_write_rules,),
    remove=Step("DeleteSecurityGroup", {"GroupId": own_id}),
    read=Step("DescribeSecurityGroups", {"GroupIds": one(own_id)}),
    attributes={"GroupId": own_id, "Id": own_id, "VpcId": "SecurityGroups.0.VpcId"},
    tags=write_ec2_tags,
)


def _rule(way: Way) -> CallType:
    properties = frozenset({*_PORTS, *_ranges(way), "GroupId"})

    def of_rule(here: Here) -> list[dict[str, Any]]:
        given = {name: here.get(name) for name in (*sorted(properties), "Description")}
        return [_permission({name: value for name, value in given.items() if value is not None}, way)]

    return CallType(
        Shape(
            f"AWS::EC2::SecurityGroup{way}",
            properties=properties | {"Description"},
            attributes=frozenset({"Id"}),
            replaced_by=properties,
        ),
        "ec2",
        create=Step(f"AuthorizeSecurityGroup{way}", {"IpPermissions": of_rule, **same("GroupId")}),
        made="SecurityGroupRules.0.SecurityGroupRuleId",
        then=(lambda here: _describe(here, here.get("GroupId"), here.id, here.get("Description", "")),),
        remove=Step(f"RevokeSecurityGroup{way}", {"IpPermissions": of_rule, **same("GroupId")}),
        attributes={"Id": own_id},
    )


SECURITY_GROUPS = (GROUP, _rule("Ingress"), _rule("Egress"))
