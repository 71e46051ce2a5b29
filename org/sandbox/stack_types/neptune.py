"""AWS::Neptune::DBCluster, DBInstance, DBSubnetGroup, DBClusterParameterGroup and DBParameterGroup.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Neptune.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.moto_api._internal import mock_random
from moto.rds.models import rds_backends

from org.sandbox.neptune import NEPTUNE as ENGINE
from org.sandbox.stack_types.by_calls import CallType, Here, Step, Value, own_id, own_name, prop, same
from org.sandbox.stack_types.interface import Shape

_NAME_LIMIT = 63


def _always(value: Any) -> Value:
    return lambda _: value


def _tagging(kind: str) -> Any:
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
    tags=_tagging("subgrp"),
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
        tags=_tagging(arn),
    )


_OF_CLUSTER: dict[str, Value] = {
    **same("DeletionProtection", "EngineVersion", "PreferredBackupWindow", "PreferredMaintenanceWindow"),
    **same("DBClusterParameterGroupName", "VpcSecurityGroupIds", BackupRetentionPeriod=1, CopyTagsToSnapshot=False),
    "EnableIAMDatabaseAuthentication": prop("IamAuthEnabled", False),
    "Port": prop("DBPort", 8182),
    "ServerlessV2ScalingConfiguration": prop("ServerlessScalingConfiguration"),
}
"""What both CreateDBCluster and ModifyDBCluster take."""


def _logs(here: Here) -> Any:
    """Answer which logs are to be sent from now on, and which no longer."""
    before, after = (set(each or ()) for each in (here.had(_EXPORTS), here.get(_EXPORTS)))
    return {"EnableLogTypes": sorted(after - before), "DisableLogTypes": sorted(before - after)}


_EXPORTS = "EnableCloudwatchLogsExports"


def _snapshot_name(here: Here) -> str:
    stack = here.wanted.stack_id.rpartition(":stack/")[2].partition("/")[0]
    return f"{stack}-{here.wanted.logical_id}-snapshot-{mock_random.get_random_hex(12)}".lower()


def _cluster_port(here: Here) -> str:
    return str(here.call("DescribeDBClusters", DBClusterIdentifier=here.id)["DBClusters"][0]["Port"])


def _instance_port(here: Here) -> str:
    found = here.call("DescribeDBInstances", DBInstanceIdentifier=here.id)["DBInstances"][0]
    return str(found["Endpoint"]["Port"])


CLUSTER = CallType(
    Shape(
        "AWS::Neptune::DBCluster",
        properties=frozenset(
            {
                "BackupRetentionPeriod",
                "CopyTagsToSnapshot",
                "DBClusterIdentifier",
                "DBClusterParameterGroupName",
                "DBPort",
                "DBSubnetGroupName",
                "DeletionProtection",
                "EnableCloudwatchLogsExports",
                "EngineVersion",
                "IamAuthEnabled",
                "KmsKeyId",
                "PreferredBackupWindow",
                "PreferredMaintenanceWindow",
                "ServerlessScalingConfiguration",
                "StorageEncrypted",
                "Tags",
                "VpcSecurityGroupIds",
            }
        ),
        attributes=frozenset({"ClusterResourceId", "Endpoint", "Port", "ReadEndpoint"}),
        name_property="DBClusterIdentifier",
        name_limit=_NAME_LIMIT,
        replaced_by=frozenset({"DBSubnetGroupName", "KmsKeyId", "StorageEncrypted"}),
        has_snapshots=True,
    ),
    "neptune",
    create=Step(
        "CreateDBCluster",
        {
            **_OF_CLUSTER,
            **same(_EXPORTS, "DBSubnetGroupName", "KmsKeyId", StorageEncrypted=False),
            "DBClusterIdentifier": lambda here: here.wanted.name.lower(),
            "Engine": _always(ENGINE),
        },
    ),
    made="DBCluster.DBClusterIdentifier",
    update=(
        Step(
            "ModifyDBCluster",
            {
                **_OF_CLUSTER,
                "ApplyImmediately": _always(True),
                "CloudwatchLogsExportConfiguration": _logs,
                "DBClusterIdentifier": own_id,
                "DeletionProtection": prop("DeletionProtection", False),
            },
        ),
    ),
    remove=Step("DeleteDBCluster", {"DBClusterIdentifier": own_id, "SkipFinalSnapshot": _always(True)}),
    remove_keeping_snapshot=Step(
        "DeleteDBCluster",
        {
            "DBClusterIdentifier": own_id,
            "SkipFinalSnapshot": _always(False),
            # As CloudFormation names them: stack, logical id, `snapshot` and some characters.
            "FinalDBSnapshotIdentifier": _snapshot_name,
        },
    ),
    read=Step("DescribeDBClusters", {"DBClusterIdentifier": own_id}),
    attributes={
        "ClusterResourceId": "DBClusters.0.DbClusterResourceId",
        "Endpoint": "DBClusters.0.Endpoint",
        "Port": _cluster_port,
        "ReadEndpoint": "DBClusters.0.ReaderEndpoint",
    },
    tags=_tagging("cluster"),
)


_OF_INSTANCE = same("AutoMinorVersionUpgrade", "DBInstanceClass", "DBParameterGroupName", "PreferredMaintenanceWindow")

INSTANCE = CallType(
    Shape(
        "AWS::Neptune::DBInstance",
        properties=frozenset(
            {
                "AutoMinorVersionUpgrade",
                "AvailabilityZone",
                "DBClusterIdentifier",
                "DBInstanceClass",
                "DBInstanceIdentifier",
                "DBParameterGroupName",
                "PreferredMaintenanceWindow",
                "Tags",
            }
        ),
        attributes=frozenset({"Endpoint", "Port"}),
        name_property="DBInstanceIdentifier",
        name_limit=_NAME_LIMIT,
        replaced_by=frozenset({"AvailabilityZone", "DBClusterIdentifier"}),
    ),
    "neptune",
    create=Step(
        "CreateDBInstance",
        {
            **_OF_INSTANCE,
            **same("AvailabilityZone", "DBClusterIdentifier"),
            "DBInstanceIdentifier": lambda here: here.wanted.name.lower(),
            "Engine": _always(ENGINE),
        },
    ),
    made="DBInstance.DBInstanceIdentifier",
    update=(
        Step("ModifyDBInstance", {**_OF_INSTANCE, "ApplyImmediately": _always(True), "DBInstanceIdentifier": own_id}),
    ),
    remove=Step("DeleteDBInstance", {"DBInstanceIdentifier": own_id, "SkipFinalSnapshot": _always(True)}),
    read=Step("DescribeDBInstances", {"DBInstanceIdentifier": own_id}),
    attributes={
        "Endpoint": "DBInstances.0.Endpoint.Address",
        "Port": _instance_port,
    },
    tags=_tagging("db"),
)

NEPTUNE = (
    SUBNET_GROUP,
    _parameter_group("DBClusterParameterGroup", "db_cluster_parameter_groups", "cluster-pg"),
    _parameter_group("DBParameterGroup", "db_parameter_groups", "pg"),
    CLUSTER,
    INSTANCE,
)
