"""Which events of a member account bear on where a machine image came from, and so go to the central bus.

Each pattern is one rule of the account baseline. EventBridge refuses a pattern of more than 2,048 characters
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html), hence several.

Calls that failed are forwarded too: an attempt is evidence, and the reader of the events tells it by `errorCode`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MAX_PATTERN_LENGTH = 2048

_VIA_CLOUDTRAIL = "AWS API Call via CloudTrail"

_IMAGE_CALLS = (
    "AttachImageWatermark",
    "CancelImageLaunchPermission",
    "CopyImage",
    "CreateImage",
    "CreateImageUsageReport",
    "CreateRestoreImageTask",
    "CreateStoreImageTask",
    "DeregisterImage",
    "DetachImageWatermark",
    "DisableAllowedImagesSettings",
    "DisableFastLaunch",
    "DisableImage",
    "DisableImageBlockPublicAccess",
    "DisableImageDeprecation",
    "DisableImageDeregistrationProtection",
    "EnableAllowedImagesSettings",
    "EnableFastLaunch",
    "EnableImage",
    "EnableImageBlockPublicAccess",
    "EnableImageDeprecation",
    "EnableImageDeregistrationProtection",
    "ExportImage",
    "ImportImage",
    "ModifyImageAttribute",
    "RegisterImage",
    "ReplaceImageCriteriaInAllowedImagesSettings",
    "ResetImageAttribute",
    "RestoreImageFromRecycleBin",
)

_DISK_CALLS = (
    "CopySnapshot",
    "CopyVolumes",
    "CreateSnapshot",
    "CreateSnapshots",
    # A volume from a foreign snapshot, and an image of its own snapshot, would hide where the disk came from.
    "CreateVolume",
    "DeleteSnapshot",
    "DisableSnapshotBlockPublicAccess",
    "EnableSnapshotBlockPublicAccess",
    "ImportSnapshot",
    "ModifySnapshotAttribute",
    "ResetSnapshotAttribute",
    "RestoreSnapshotFromRecycleBin",
    # Tags are claims of approval. EC2 writes one event for all kinds of resources, so all of them are forwarded.
    "CreateTags",
    "DeleteTags",
)

_LAUNCH_CALLS = (
    "AttachVolume",
    "CreateFleet",
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "CreateReplaceRootVolumeTask",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "ModifyFleet",
    "ModifyLaunchTemplate",
    "ModifySpotFleetRequest",
    "RequestSpotFleet",
    "RequestSpotInstances",
    "RunInstances",
    "RunScheduledInstances",
)

_BUILD_CALLS = (
    # EC2 Image Builder
    "CreateContainerRecipe",
    "CreateDistributionConfiguration",
    "CreateImage",
    "CreateImagePipeline",
    "CreateImageRecipe",
    "DistributeImage",
    "ImportDiskImage",
    "ImportVmImage",
    "StartImagePipelineExecution",
    "UpdateDistributionConfiguration",
    "UpdateImagePipeline",
    # EC2 Auto Scaling
    "CreateAutoScalingGroup",
    "CreateLaunchConfiguration",
    # What is gone uses no image any more.
    "DeleteAutoScalingGroup",
    "DeleteLaunchConfiguration",
    "StartInstanceRefresh",
    "UpdateAutoScalingGroup",
    # EBS direct APIs: a snapshot written block by block. Not PutSnapshotBlock: a trail that logs data events has one
    # for each half mebibyte, and they tell nothing that start and end do not.
    "CompleteSnapshot",
    "StartSnapshot",
    # Systems Manager: a parameter that names an image. Its own notification tells no version.
    "DeleteParameter",
    "DeleteParameters",
    "LabelParameterVersion",
    "PutParameter",
    "UnlabelParameterVersion",
)

_CONSUMER_CALLS = {
    "aws.appstream": ("CreateImportedImage",),
    "aws.batch": ("CreateComputeEnvironment", "UpdateComputeEnvironment"),
    "aws.cloud9": ("CreateEnvironmentEC2",),
    "aws.codebuild": ("CreateFleet", "UpdateFleet"),
    "aws.ecs": ("CreateCapacityProvider",),
    "aws.eks": ("CreateNodegroup", "UpdateNodegroupVersion"),
    "aws.elasticbeanstalk": (
        "CreateConfigurationTemplate",
        "CreateEnvironment",
        "UpdateConfigurationTemplate",
        "UpdateEnvironment",
    ),
    "aws.elasticmapreduce": ("AddInstanceFleet", "AddInstanceGroups", "RunJobFlow"),
    "aws.pcs": ("CreateComputeNodeGroup", "UpdateComputeNodeGroup"),
    "aws.sagemaker": ("CreateCluster", "UpdateCluster", "UpdateClusterSoftware"),
    "aws.workspaces": ("ImportCustomWorkspaceImage", "ImportWorkspaceImage"),
}
"""Of services that start machines from an image. One rule takes them all, so a service may say another's name too."""

_STATE_CHANGES = (
    "Backup Job State Change",
    "Copy Job State Change",
    "DLM Policy State Change",
    "EBS Multi-Volume Snapshots Completion Status",
    "EBS Snapshot Notification",
    "EC2 AMI State Change",
    "EC2 Fast Launch State-change Notification",
    "EC2 Image Builder Image State Change",
    "EC2 Instance Launch Successful",
    "EC2 Instance State-change Notification",
    "Launch Template Alias Change",
    "Parameter Store Change",
)


def render_patterns() -> Mapping[str, Mapping[str, object]]:
    """Answer each rule's name, without its prefix, and the event pattern that it matches."""
    return {
        "image-calls": _calls(("aws.ec2",), _IMAGE_CALLS),
        "disk-and-tag-calls": _calls(("aws.ec2",), _DISK_CALLS),
        "launch-calls": _calls(("aws.ec2",), _LAUNCH_CALLS),
        "build-calls": _calls(("aws.imagebuilder", "aws.autoscaling", "aws.ebs", "aws.ssm"), _BUILD_CALLS),
        "consumer-calls": _calls(
            tuple(_CONSUMER_CALLS), sorted(name for names in _CONSUMER_CALLS.values() for name in names)
        ),
        "state-changes": {
            # Without the sources a PutEvents of the account itself could pass for a notification of AWS.
            "source": ["aws.autoscaling", "aws.backup", "aws.dlm", "aws.ec2", "aws.imagebuilder", "aws.ssm"],
            "detail-type": list(_STATE_CHANGES),
        },
    }


def _calls(sources: Sequence[str], names: Sequence[str]) -> Mapping[str, object]:
    return {"source": list(sources), "detail-type": [_VIA_CLOUDTRAIL], "detail": {"eventName": list(names)}}
