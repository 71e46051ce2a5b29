"""AWS::Neptune::DBSubnetGroup, DBClusterParameterGroup and DBParameterGroup.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Neptune.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.rds.models import rds_backends

from org.sandbox.stack_types.by_calls import CallType, Here, Step, own_id, own_name, prop, same
from org.sandbox.stack_types.interface import Shape


def write_tags_of(kind: str) -> Any:
    """Write tags of what has an ARN of this kind."""

    def write(here: Here, tags: Mapping[str, str], removed: Sequence[str]) -> None:
        arn = here.arn("rds", f"{kind}:{here.id}")
        if removed:
            here.call("RemoveTagsFromResource", ResourceName=arn, TagKeys=removed)
        if tags:
            here.call("AddTagsToResource", ResourceName=arn, Tags=[{"Key": key, "Value": tags[key]} for key in tags])

    return write


SUBNET_GROUP = CallType(
    Shape(
        "AWS::Neptune::DBSubnetGroup",
        properties=frozenset({"DBSubnetGroupDescription", "DBSubnetGroupName", "SubnetIds", "Tags"}),
        name_property="DBSubnetGroupName",
        name_limit=255,
    ),
    "neptune",
    create=Step(
        "CreateDBSubnetGroup",
        {"DBSubnetGroupName": own_name, **same("DBSubnetGroupDescription", "SubnetIds")},
    ),
    made="DBSubnetGroup.DBSubnetGroupName",
    update=(
        Step("ModifyDBSubnetGroup", {"DBSubnetGroupName": own_id, **same("DBSubnetGroupDescription", "SubnetIds")}),
    ),
    remove=Step("DeleteDBSubnetGroup", {"DBSubnetGroupName": own_id}),
    tags=write_tags_of("subgrp"),
)


def _parameter_group(kind: str, groups: str, arn: str) -> CallType:
    """`kind` is how its calls are named, `groups` where moto keeps them."""
    parameter = f"{kind}Name"

    def write(here: Here) -> None:
        """Write the parameters; one that is left out has the engine's own value again, and moto cannot reset it."""
        wanted: Mapping[str, Any] = here.get("Parameters") or {}
        group = getattr(rds_backends[here.wanted.account_id][here.wanted.region], groups)[here.id]
        for name in here.had("Parameters") or {}:
            if name not in wanted:
                group.parameters.pop(name, None)
        rows = [
            {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for name, value in wanted.items()
        ]
        if rows:
            here.call(f"Modify{kind}", **{parameter: here.id, "Parameters": rows})

    return CallType(
        Shape(
            f"AWS::Neptune::{kind}",
            properties=frozenset({"Description", "Family", "Name", "Parameters", "Tags"}),
            name_property="Name",
            name_limit=255,
            replaced_by=frozenset({"Description", "Family"}),
        ),
        "neptune",
        create=Step(
            f"Create{kind}",
            {parameter: own_name, "DBParameterGroupFamily": prop("Family"), **same("Description")},
        ),
        made=f"{kind}.{parameter}",
        then=(write,),
        remove=Step(f"Delete{kind}", {parameter: own_id}),
        tags=write_tags_of(arn),
    )


GROUPS = (
    SUBNET_GROUP,
    _parameter_group("DBClusterParameterGroup", "db_cluster_parameter_groups", "cluster-pg"),
    _parameter_group("DBParameterGroup", "db_parameter_groups", "pg"),
)
