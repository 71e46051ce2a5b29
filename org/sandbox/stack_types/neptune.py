"""AWS::Neptune::DBCluster and DBInstance.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Neptune.html
"""

from __future__ import annotations

from typing import Any

from moto.moto_api._internal import mock_random

from org.sandbox.neptune import NEPTUNE as ENGINE
from org.sandbox.stack_types.by_calls import CallType, Here, Step, Value, own_id, prop, same
from org.sandbox.stack_types.interface import Shape
from org.sandbox.stack_types.neptune_groups import GROUPS, write_tags_of

_NAME_LIMIT = 63


def _always(value: Any) -> Value:
    return lambda _: value


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


def _write_roles(here: Here) -> None:
    """Associate the roles; those that others have associated stay."""
    wanted = {each["RoleArn"]: each for each in here.get("AssociatedRoles") or []}
    had = {each["RoleArn"] for each in here.had("AssociatedRoles") or []}
    if not wanted and not had:
        return
    cluster = here.call("DescribeDBClusters", DBClusterIdentifier=here.id)["DBClusters"][0]
    live = {each["RoleArn"] for each in cluster.get("AssociatedRoles", [])}
    for arn in sorted(live & had - set(wanted)):
        here.call("RemoveRoleFromDBCluster", DBClusterIdentifier=here.id, RoleArn=arn)
    for arn in sorted(set(wanted) - live):
        here.call("AddRoleToDBCluster", DBClusterIdentifier=here.id, **wanted[arn])


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
                "AssociatedRoles",
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
    then=(_write_roles,),
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
    tags=write_tags_of("cluster"),
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
    tags=write_tags_of("db"),
)

NEPTUNE = (*GROUPS, CLUSTER, INSTANCE)
