"""The code of functions and layers, which must be in S3."""

from __future__ import annotations

import base64
from typing import Any

from moto.s3.models import s3_backends

from org.sandbox.stack_types.interface import Properties, ResourceRefused


def read_code(given: Properties, what: str) -> dict[str, Any]:
    """Answer code as moto takes it; it must be there: moto would take an empty function for want of it."""
    if set(given) != {"S3Bucket", "S3Key"}:
        raise ResourceRefused(f"the orgctl sandbox takes {what} by S3Bucket and S3Key alone")
    bucket, key = str(given["S3Bucket"]), str(given["S3Key"])
    owner = s3_backends.bucket_accounts.get(bucket)
    found = s3_backends[owner[1]][owner[0]].get_object(bucket, key) if owner is not None else None
    if found is None:
        refusal = "NoSuchKey. S3 Error Message: The specified key does not exist."
        raise ResourceRefused(f"Error occurred while GetObject. S3 Error Code: {refusal} ({bucket}/{key})")
    return {"ZipFile": base64.b64encode(found.value).decode()}
