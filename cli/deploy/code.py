"""What the stacks take from a bucket: the functions' code, the layer, and templates too large to be given inline.

Calls S3 in the lineage account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from org.gateway.errors import aws_errors
from org.model import AccountId, Region
from stacksets.bundle import build_bundle
from stacksets.layer import build_layer

_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True, slots=True)
class Code:
    bucket: str
    uploads: Mapping[str, bytes]
    """By key, which follows from the content."""
    parameters: Mapping[str, str]


def build_code(account: AccountId, region: Region, *, layer: bool) -> Code:
    """Build what is to be uploaded; without a layer where functions find their packages themselves: the sandbox."""
    bucket, code = f"orgctl-code-{account}-{region}", build_bundle()
    uploads, parameters = {code.key: code.content}, {"CodeBucket": bucket, "CodeKey": code.key, "LayerKey": ""}
    if layer:
        packages = build_layer()
        uploads[packages.key] = packages.content
        parameters["LayerKey"] = packages.key
    return Code(bucket, uploads, parameters)


def upload(s3: Any, code: Code, region: Region) -> None:  # noqa: ANN401 - boto3 makes its clients up
    """Make the bucket if there is none, and put into it what is not there yet."""
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    if code.bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        _make(s3, code.bucket, place)
        s3.put_public_access_block(Bucket=code.bucket, PublicAccessBlockConfiguration=_PRIVATE)
    for key, content in code.uploads.items():
        _put(s3, code.bucket, key, content)


def upload_template(s3: Any, bucket: str, region: Region, body: str) -> str:  # noqa: ANN401 - as above
    """Put a template into the bucket; answer its URL."""
    content = body.encode()
    key = f"orgctl/templates/{hashlib.sha256(content).hexdigest()[:32]}.json"
    with aws_errors(f"s3 bucket {bucket}"):
        _put(s3, bucket, key, content)
    return f"https://{bucket}.s3.{region}.amazonaws.com/{key}"


def _make(s3: Any, bucket: str, place: Mapping[str, Any]) -> None:  # noqa: ANN401 - as above
    try:
        s3.create_bucket(Bucket=bucket, **place)
    except ClientError as error:
        # Another run made it a moment ago.
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _put(s3: Any, bucket: str, key: str, content: bytes) -> None:  # noqa: ANN401 - as above
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", []):
        s3.put_object(Bucket=bucket, Key=key, Body=content)
