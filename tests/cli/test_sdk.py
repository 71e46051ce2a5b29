"""What any AWS SDK sees in the sandbox with the variables of `orgctl sandbox env`, after a bootstrap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cli.demo import example_manifest
from tests.support.command_line import CommandLine

MANIFEST = example_manifest().parents[1] / "minimal" / "organization.yaml"

PROGRAM = """
import json, boto3
organizations = boto3.client("organizations")
told = {}
for account in organizations.get_paginator("list_accounts").paginate().build_full_result()["Accounts"]:
    if account["Name"] == "Management":
        continue
    given = boto3.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account['Id']}:role/OrganizationAccountAccessRole", RoleSessionName="test"
    )["Credentials"]
    member = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    told[account["Name"]] = {
        "roles": [role["RoleName"] for role in member.client("iam").list_roles()["Roles"]],
        "rules": [rule["Name"] for rule in member.client("events").list_rules()["Rules"]],
        "policies": [
            policy["Name"]
            for policy in organizations.list_policies_for_target(
                TargetId=account["Id"], Filter="SERVICE_CONTROL_POLICY"
            )["Policies"]
        ],
    }
print(json.dumps(told))
"""


def test_boto3_with_the_environment_of_the_sandbox_sees_every_member_account(
    in_sandbox: CommandLine, tmp_path: Path
) -> None:
    assert in_sandbox("bootstrap", "--yes", "-m", str(MANIFEST)).code == 0
    environment = dict(os.environ)
    for name, value in json.loads(
        in_sandbox("sandbox", "env", "--format", "json", "--region", "eu-central-1").out
    ).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    told = json.loads(done.stdout)
    assert set(told) == {"Log Archive", "Audit", "AMI Lineage", "Shop"}
    for seen in told.values():
        assert "orgctl-audit" in seen["roles"]
        assert seen["rules"] != []
        assert seen["policies"] == ["FullAWSAccess"]
