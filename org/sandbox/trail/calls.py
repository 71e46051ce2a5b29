"""Which calls are recorded: those that bear on where an image came from, and those by which instances come and go.

Each is written in one of two ways. Which call of EC2 is written in the newer one is not documented: confirmed by public
examples are CreateFleet, CreateLaunchTemplate, CreateLaunchTemplateVersion, CreateReplaceRootVolumeTask,
CreateSnapshots and ModifyInstanceMetadataOptions; all other calls that are younger than launch templates are presumed
to be [H].
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto


class Dialect(Enum):
    CLASSIC = auto()
    """`instanceId`, and lists as `{"items": […]}`."""
    NESTED = auto()
    """`RunThisRequest.InstanceId`, and lists as XML has them."""
    PLAIN = auto()
    """`instanceId`, and lists as JSON has them: all services but EC2."""


_CLASSIC = (
    "AttachVolume",
    "CancelSpotInstanceRequests",
    "CopyImage",
    "CopySnapshot",
    "CreateImage",
    "CreateSnapshot",
    "CreateTags",
    "CreateVolume",
    "DeleteSnapshot",
    "DeleteTags",
    "DeleteVolume",
    "DeregisterImage",
    "DetachVolume",
    "ModifyImageAttribute",
    "ModifyInstanceAttribute",
    "ModifySnapshotAttribute",
    "RebootInstances",
    "RegisterImage",
    "RequestSpotFleet",
    "RequestSpotInstances",
    "ResetImageAttribute",
    "ResetSnapshotAttribute",
    "RunInstances",
    "StartInstances",
    "StopInstances",
    "TerminateInstances",
)
_NESTED = (
    "CreateFleet",
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "CreateReplaceRootVolumeTask",
    "CreateRestoreImageTask",
    "CreateSnapshots",
    "CreateStoreImageTask",
    "DeleteFleets",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "DisableImage",
    "DisableImageBlockPublicAccess",
    "DisableImageDeprecation",
    "DisableImageDeregistrationProtection",
    "DisableSnapshotBlockPublicAccess",
    "EnableImage",
    "EnableImageBlockPublicAccess",
    "EnableImageDeprecation",
    "EnableImageDeregistrationProtection",
    "EnableSnapshotBlockPublicAccess",
    "ModifyFleet",
    "ModifyInstanceMetadataOptions",
    "ModifyLaunchTemplate",
)
_PLAIN = {
    "autoscaling": (
        "CreateAutoScalingGroup",
        "CreateLaunchConfiguration",
        "DeleteAutoScalingGroup",
        "DeleteLaunchConfiguration",
        "SetDesiredCapacity",
        "StartInstanceRefresh",
        "TerminateInstanceInAutoScalingGroup",
        "UpdateAutoScalingGroup",
    ),
    "ebs": ("CompleteSnapshot", "StartSnapshot"),
    "ssm": ("DeleteParameter", "DeleteParameters", "LabelParameterVersion", "PutParameter", "UnlabelParameterVersion"),
}
"""PutSnapshotBlock of EBS is a data event, which a trail of management events does not have."""

RECORDED: Mapping[str, Mapping[str, Dialect]] = {
    "ec2": {**dict.fromkeys(_CLASSIC, Dialect.CLASSIC), **dict.fromkeys(_NESTED, Dialect.NESTED)},
    **{service: dict.fromkeys(names, Dialect.PLAIN) for service, names in _PLAIN.items()},
}
"""By service and operation, as botocore calls them."""
