"""The demo's acts on guardrails: a launch refused, one that goes through, and a lockout stopped before it happens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cli.render.console import results
from org.errors import OrgctlError
from org.sandbox.session import Credentials, session_for

_ACCESS_ROLE = "OrganizationAccountAccessRole"
_IMAGES, _WORKLOAD, _DEVELOPER, _APPROVER = "Image Factory", "Shop", "Developer", "ImageApprover"
_APPROVED = {"Key": "ec2:SharedTag/status", "Value": "approved"}
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_LOCKOUT = """\
policies:
  - name: NoRolesByHand
    type: SERVICE_CONTROL_POLICY
    description: Roles come from templates only
    inline:
      Version: "2012-10-17"
      Statement:
        - Sid: DenyChangingRoles
          Effect: Deny
          Action: ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"]
          Resource: "*"
          Condition:
            ArnNotLike:
              "aws:PrincipalArn":
                - "arn:aws:iam::*:role/stacksets-exec-*"
                - "arn:aws:iam::*:role/OrganizationAccountAccessRole"
                - "arn:aws:iam::*:role/breakglass"
    attach: {units: [Workloads]}
"""
"""It means to spare break-glass, and misses it by the case of two letters."""


@dataclass(frozen=True, slots=True)
class Launches:
    """An image account that shares two machine images with a workload account, one of them approved."""

    endpoint: str
    region: str
    accounts: Mapping[str, str]
    """Ids by name."""

    def tell(self) -> tuple[str, ...]:
        """Try both images as a developer who is administrator of the account.

        Answers what `guardrails explain` needs of the refusal: AWS's message, and what is known of the request besides.
        """
        factory = self._session(_IMAGES, _ACCESS_ROLE).client("ec2")
        raw, golden = (self._image(factory, name) for name in ("raw-demo", "golden-demo"))
        self._role(_IMAGES, _APPROVER)
        self._session(_IMAGES, _APPROVER).client("ec2").create_tags(Resources=[golden], Tags=[_APPROVED])
        self._role(_WORKLOAD, _DEVELOPER)
        developer = self._session(_WORKLOAD, _DEVELOPER).client("ec2")
        refused = self._launch(developer, raw)
        said = refused.partition(" Encoded authorization")[0]
        results().print(f"{_DEVELOPER} in {_WORKLOAD} launches {raw}, which nobody approved:\n  {said}")
        if "explicit deny in a service control policy" not in refused:
            raise OrgctlError("the demo", f"the launch of {raw} was not refused by a guardrail", "report it, please")
        started = self._launch(developer, golden)
        results().print(f"{_DEVELOPER} in {_WORKLOAD} launches {golden}, which {_APPROVER} approved:\n  {started}")
        if not started.startswith("i-"):
            raise OrgctlError("the demo", f"the launch of {golden} was refused", "report it, please")
        known = (f"ec2:Owner={self.accounts[_IMAGES]}", f"aws:ResourceTag/{_APPROVED['Key']}=", "aws:TagKeys=")
        return refused, *(word for key in known for word in ("--context", key))

    def _session(self, account: str, role: str) -> boto3.Session:
        """Come in through the role that the management account may assume, and from there as another role."""
        session = session_for(self.endpoint, self.region)
        for name in dict.fromkeys((_ACCESS_ROLE, role)):
            arn = f"arn:aws:iam::{self.accounts[account]}:role/{name}"
            given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="demo")["Credentials"]
            credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            session = session_for(self.endpoint, self.region, credentials)
        return session

    def _role(self, account: str, name: str) -> None:
        """Make a role that its account's own policies allow everything."""
        iam = self._session(account, _ACCESS_ROLE).client("iam")
        principal = {"AWS": f"arn:aws:iam::{self.accounts[account]}:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))

    def _image(self, ec2: Any, name: str) -> str:  # noqa: ANN401 - boto3 makes its clients up
        volume = ec2.create_volume(AvailabilityZone=f"{self.region}a", Size=8, Encrypted=True)["VolumeId"]
        disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": ec2.create_snapshot(VolumeId=volume)["SnapshotId"]}}
        made = ec2.register_image(Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=[disk])["ImageId"]
        shared = {"Add": [{"UserId": self.accounts[_WORKLOAD]}]}
        ec2.modify_image_attribute(ImageId=made, LaunchPermission=shared)
        return str(made)

    def _launch(self, ec2: Any, image: str) -> str:  # noqa: ANN401 - as above
        """Answer the id of the instance, or what AWS says instead."""
        disk = {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}
        try:
            answer = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, BlockDeviceMappings=[disk])
        except ClientError as error:
            return str(error)
        return str(answer["Instances"][0]["InstanceId"])


def write_lockout(example: Path, folder: Path) -> Path:
    """Copy the example, add a policy that locks break-glass out, print that policy, and answer the manifest."""
    results().print(f"A policy is added to a copy of the manifest ({folder}):\n\n{_LOCKOUT}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(example.parent, folder)
    (folder / "lockout.yaml").write_text(_LOCKOUT, encoding="utf-8")
    manifest = folder / example.name
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("include:\n", "include:\n  - lockout.yaml\n", 1), encoding="utf-8")
    return manifest
