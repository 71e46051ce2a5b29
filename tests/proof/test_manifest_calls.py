"""Calls of protected principals from the manifest's text to the proof's demands, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load_manifest
from org.model import RequiredCall
from org.source.findings import SourceErrors
from stacksets.desired import render_desired

MANIFEST = """\
version: 1
organization:
  home_region: eu-central-1
  governed_regions: [eu-central-1]
  management_account: Management
  log_archive_account: Shop
  audit_account: Shop
  lineage_account: Shop
accounts:
  - {name: Management, email: management@example.com, unit: Root}
  - {name: Shop, email: shop@example.com, unit: Root}
protected_principals:
  - name: pipeline
    arn: arn:aws:iam::*:role/deploy/pipeline
    calls:
      - sts:AssumeRole
      - CALL
"""
UPLOAD = (
    '{call: "s3:PutObject", on: "arn:aws:s3:::templates-*/*", '
    'given: {"s3:x-amz-server-side-encryption": [aws:kms], "aws:SourceVpc": null}}'
)


def manifest(folder: Path, call: str) -> Path:
    path = folder / "organization.yaml"
    path.write_text(MANIFEST.replace("CALL", call), encoding="utf-8")
    return path


def test_call_alone_and_spelled_out(tmp_path: Path) -> None:
    (principal,) = render_desired(load_manifest(manifest(tmp_path, UPLOAD))).protected_principals
    assert principal.calls == (
        RequiredCall("sts:AssumeRole"),
        RequiredCall(
            "s3:PutObject",
            "arn:aws:s3:::templates-*/*",
            {"s3:x-amz-server-side-encryption": ("aws:kms",), "aws:SourceVpc": None},
        ),
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('{call: "s3:PutObject", on: "bucket"}', "'bucket' is not the ARN of a resource"),
        ('{call: "s3:PutObject", given: {SourceVpc: vpc-1}}', "'SourceVpc' is not a condition key"),
        ('{call: "s3 PutObject"}', "'s3 PutObject' is not an AWS call"),
        ('{on: "arn:aws:s3:::b/*"}', "call"),
        ('{call: "s3:PutObject", where: x}', "where"),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(tmp_path: Path, call: str, told: str) -> None:
    with pytest.raises(SourceErrors) as refused:
        load_manifest(manifest(tmp_path, call))
    (finding,) = refused.value.findings
    assert told in f"{finding.what} {finding.todo}"
    assert finding.place.line == 17
