"""The tagging of many resources at once, which needs the permission of each one's own service besides.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from org.sandbox.authorization.model import ApiCall

OPERATIONS = frozenset({"TagResources", "UntagResources"})

_ACTIONS: Mapping[str, tuple[str, str]] = {
    "acm": ("AddTagsToCertificate", "RemoveTagsFromCertificate"),
    "cloudtrail": ("AddTags", "RemoveTags"),
    "elasticloadbalancing": ("AddTags", "RemoveTags"),
    "rds": ("AddTagsToResource", "RemoveTagsFromResource"),
    "s3": ("PutBucketTagging", "PutBucketTagging"),
    "sqs": ("TagQueue", "UntagQueue"),
    "ssm": ("AddTagsToResource", "RemoveTagsFromResource"),
    "workspaces": ("CreateTags", "DeleteTags"),
}
"""By service; of others they are called TagResource and UntagResource."""


def resources_tagged(call: ApiCall) -> Iterator[tuple[str, str]]:
    """Answer each resource's ARN and the action that it needs; EC2's are asked for as `call_of_ec2` says."""
    removes = call.operation == "UntagResources"
    for arn in call.parameters.get("ResourceARNList", []):
        service = str(arn).split(":")[2] if str(arn).count(":") >= 5 else ""
        if service not in {"", "ec2"}:
            names = _ACTIONS.get(service, ("TagResource", "UntagResource"))
            yield f"{service}:{names[removes]}", str(arn)


def call_of_ec2(call: ApiCall) -> ApiCall | None:
    """Answer the call of EC2's that tags the same; None where none of its resources is named."""
    ids = [
        arn.rpartition("/")[2] for arn in call.parameters.get("ResourceARNList", []) if arn.split(":")[2:3] == ["ec2"]
    ]
    if not ids:
        return None
    given = call.parameters.get("Tags") or dict.fromkeys(call.parameters.get("TagKeys") or [], "")
    tags = [{"Key": key, "Value": value} for key, value in given.items()]
    operation = "CreateTags" if call.operation == "TagResources" else "DeleteTags"
    return replace(call, service="ec2", operation=operation, parameters={"Resources": ids, "Tags": tags})
