"""The graph: Neptune Serverless, encrypted, reached by functions of the lineage account alone, and only as themselves.

https://docs.aws.amazon.com/neptune/latest/userguide/neptune-serverless.html
"""

from __future__ import annotations

from troposphere import Equals, GetAtt, Output, Ref, Sub, Template
from troposphere.kms import Key
from troposphere.logs import LogGroup
from troposphere.neptune import (
    DBCluster,
    DBClusterParameterGroup,
    DBInstance,
    DBParameterGroup,
    DBSubnetGroup,
    ServerlessScalingConfiguration,
)

from stacksets.templates.function import LOG_DAYS, add_parameter
from stacksets.templates.lineage_network import GRAPH_PORT
from stacksets.templates.own_key import encrypts_logs, own_key

CLUSTER = "orgctl-lineage"
FAMILY = "neptune1.4"
"""Must be that of the engine: 1.4.x.y has neptune1.4."""
_AUDIT_LOG = f"/aws/neptune/{CLUSTER}/audit"
_HAS_SECOND = "HasSecondInstance"


def render() -> Template:
    template = Template("orgctl lineage graph: Neptune Serverless in the lineage network")
    template.set_version()
    _add_parameters(template)
    template.add_condition(_HAS_SECOND, Equals(Ref("Standby"), "yes"))
    key = template.add_resource(_key())
    logs = template.add_resource(
        LogGroup(
            "AuditLog",
            # Neptune writes to a group of this name, and would make one without key and retention.
            LogGroupName=_AUDIT_LOG,
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=GetAtt(key, "Arn"),
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
            Metadata={"Reasons": {"Retain": "Who asked and wrote what is evidence"}},
        )
    )
    subnets = template.add_resource(
        DBSubnetGroup(
            "Subnets",
            DBSubnetGroupName=CLUSTER,
            DBSubnetGroupDescription="Private subnets of the lineage network",
            SubnetIds=Ref("SubnetIds"),
        )
    )
    of_cluster = template.add_resource(
        DBClusterParameterGroup(
            "ClusterParameters",
            Name=f"{CLUSTER}-cluster",
            Family=FAMILY,
            Description="Audit log on",
            Parameters={"neptune_enable_audit_log": "1", "neptune_query_timeout": "120000"},
        )
    )
    of_instance = template.add_resource(
        DBParameterGroup(
            "InstanceParameters",
            Name=f"{CLUSTER}-instance",
            Family=FAMILY,
            Description="Instances of the lineage graph",
            Parameters={"neptune_query_timeout": "120000"},
        )
    )
    cluster = template.add_resource(_cluster(key, logs, subnets, of_cluster))
    for title, end, settings in (("First", "1", {}), ("Second", "2", {"Condition": _HAS_SECOND})):
        template.add_resource(
            DBInstance(
                f"{title}Instance",
                DBInstanceIdentifier=f"{CLUSTER}-{end}",
                DBClusterIdentifier=Ref(cluster),
                DBInstanceClass="db.serverless",
                DBParameterGroupName=Ref(of_instance),
                AutoMinorVersionUpgrade=True,
                # The data is the cluster's: an instance holds none.
                DeletionPolicy="Delete",
                UpdateReplacePolicy="Delete",
                **settings,
            )
        )
    host = Sub(f"wss://${{Cluster.Endpoint}}:{GRAPH_PORT}/gremlin")
    data = Sub("arn:${AWS::Partition}:neptune-db:${AWS::Region}:${AWS::AccountId}:${Cluster.ClusterResourceId}/*")
    template.add_output(Output("GraphUrl", Description="What the functions ask and write", Value=host))
    template.add_output(Output("GraphDataArn", Description="Its data, as policies name it", Value=data))
    template.add_output(Output("GraphCluster", Description="The cluster", Value=Ref(cluster)))
    return template


def _add_parameters(template: Template) -> None:
    add_parameter(template, "SubnetIds", "Private subnets of the network", Type="List<AWS::EC2::Subnet::Id>")
    add_parameter(template, "GraphSecurityGroupId", "Which functions alone reach", Type="AWS::EC2::SecurityGroup::Id")
    add_parameter(
        template,
        "MinCapacity",
        "Smallest capacity, in Neptune Capacity Units of about 2 GiB",
        Type="Number",
        Default=1,
        MinValue=1,
        MaxValue=128,
    )
    add_parameter(
        template,
        "MaxCapacity",
        "Largest capacity, in Neptune Capacity Units",
        Type="Number",
        Default=8,
        MinValue=2.5,
        MaxValue=128,
    )
    add_parameter(
        template,
        "Standby",
        "Whether a second instance, in another zone, takes over at once; it costs as much as the first",
        Default="no",
        AllowedValues=["yes", "no"],
    )
    add_parameter(
        template,
        "EngineVersion",
        "Version of Neptune 1.4, with which orgctl's Gremlin client is documented",
        Default="1.4.5.1",
        AllowedPattern=r"1\.4\.\d+\.\d+",
    )
    add_parameter(template, "LogRetentionDays", "How many days the audit log is kept", **LOG_DAYS)


def _cluster(key: Key, logs: LogGroup, subnets: DBSubnetGroup, parameters: DBClusterParameterGroup) -> DBCluster:
    return DBCluster(
        "Cluster",
        DependsOn=[logs.title],
        DBClusterIdentifier=CLUSTER,
        EngineVersion=Ref("EngineVersion"),
        DBSubnetGroupName=Ref(subnets),
        VpcSecurityGroupIds=[Ref("GraphSecurityGroupId")],
        DBClusterParameterGroupName=Ref(parameters),
        DBPort=GRAPH_PORT,
        ServerlessScalingConfiguration=ServerlessScalingConfiguration(
            MinCapacity=Ref("MinCapacity"), MaxCapacity=Ref("MaxCapacity")
        ),
        IamAuthEnabled=True,
        StorageEncrypted=True,
        KmsKeyId=GetAtt(key, "Arn"),
        EnableCloudwatchLogsExports=["audit"],
        # The longest: to any second of as many days.
        BackupRetentionPeriod=35,
        CopyTagsToSnapshot=True,
        DeletionProtection=True,
        DeletionPolicy="Snapshot",
        UpdateReplacePolicy="Snapshot",
    )


def _key() -> Key:
    """Neptune uses the key by a grant that whoever makes the cluster gives, as IAM lets them.

    https://docs.aws.amazon.com/neptune/latest/userguide/encrypt.html
    """
    return own_key("GraphKey", "Encrypts the lineage graph of orgctl", [encrypts_logs(_AUDIT_LOG)])
