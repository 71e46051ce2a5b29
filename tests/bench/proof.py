"""The lockout proof of a plan over 1,000 accounts, in this process alone; prints what it took as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from org.model import DesiredPolicy, ObservedOrganization, ObservedPolicy, ProtectedPrincipal, RequiredCall
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.policy.catalog import Catalog
from org.proof.prove import prove
from org.quotas import load_quotas
from tests.bench.memory import peak_mib
from tests.bench.organizations import as_observed, large_organization
from tests.support.organizations import SCP

ROOT = Path(__file__).parents[2]
ACCOUNTS, UNITS, POLICIES, PRINCIPALS, CALLS = 1000, 50, 60, 10, 200
SERVICES = ("cloudformation", "dynamodb", "ec2", "events", "iam", "kms", "lambda", "s3", "sqs", "sts")


def measure_lockout_proof() -> tuple[float, float]:
    """Answer seconds and the peak of memory in MiB, of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.proof"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    said = json.loads(done.stdout)
    return said["seconds"], said["peak_mib"]


def measure_denied_proof() -> tuple[float, float]:
    """Answer the same where nobody is spared, so that all is denied to all."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.proof", "denied"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    said = json.loads(done.stdout)
    return said["seconds"], said["peak_mib"]


def large_plan(*, denied: bool = False) -> Plan:
    """Every policy changes, so that every account is touched; the ten principals are spared, or denied everything."""
    wanted = large_organization(ACCOUNTS, UNITS, POLICIES, regions=2, stacksets=1)
    names = [f"principal-{number}" for number in range(PRINCIPALS)]
    spared = [f"arn:aws:iam::*:role/{name}" for name in names]
    spared += ["arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::*:role/OrganizationAccountAccessRole"]
    content = _denying if denied else _guardrail
    policies = tuple(replace(p, content=content(n, spared)) for n, p in enumerate(wanted.policies))
    wanted = replace(
        wanted,
        policies=policies,
        protected_principals=tuple(
            ProtectedPrincipal(name, f"arn:aws:iam::*:role/{name}", _calls(n)) for n, name in enumerate(names)
        ),
        governed_regions=("eu-central-1", "us-east-1"),
    )
    return plan_changes(wanted, _before(wanted.policies, as_observed(wanted)), load_quotas())


def _before(policies: tuple[DesiredPolicy, ...], observed: ObservedOrganization) -> ObservedOrganization:
    older = {p.name: p.content.replace("DenyOutside", "DenyOutsideOld").replace("Everything", "Old") for p in policies}
    everywhere = (observed.root_id, *(unit.id for unit in observed.units), *(a.id for a in observed.accounts))
    full = ObservedPolicy("p-FullAWSAccess", SCP, "FullAWSAccess", "", "", aws_managed=True, target_ids=everywhere)
    return replace(observed, policies=(full, *(replace(p, content=older[p.name]) for p in observed.policies)))


def _calls(number: int) -> tuple[RequiredCall, ...]:
    """Choose 200 calls of ten services, others for each principal."""
    catalog = Catalog()
    found = []
    for service in SERVICES:
        actions = [action for action in catalog.actions_matching(f"{service}:*") if not catalog.is_free(action)]
        each = CALLS // len(SERVICES)
        chosen = (actions * (each * PRINCIPALS // len(actions) + 1))[number * each : (number + 1) * each]
        found += [RequiredCall(action) for action in chosen]
    return tuple(found)


def _guardrail(number: int, spared: list[str]) -> str:
    """Write what real ones hold: Regions with NotAction, protected names, a condition on the resource."""
    spare = {"ArnNotLike": {"aws:PrincipalArn": spared}}
    outside = {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}}
    protected = {"Action": ["iam:*Role*", "iam:PassRole"], "Resource": f"arn:aws:iam::*:role/protected-{number}-*"}
    statements = [
        {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "DenyOutside", "NotAction": ["iam:*", "sts:*", f"s3:Get{number}*"], "Condition": spare | outside},
        {"Sid": "ProtectRoles", **protected, "Condition": spare},
        {"Sid": "ProtectTrail", "Action": ["cloudtrail:Stop*", "events:Delete*", "events:Put*"], "Condition": spare},
        {"Sid": "Encrypted", "Action": "ec2:CreateVolume", "Condition": {"Bool": {"ec2:Encrypted": "false"}} | spare},
    ]
    document = [{"Effect": "Deny", "Resource": "*"} | statement for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": document})


def _denying(number: int, _spared: list[str]) -> str:
    denied = {"Sid": f"Everything{number}", "Effect": "Deny", "Action": "*", "Resource": "*"}
    allowed = {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed, denied]})


def main() -> None:
    denied = sys.argv[1:] == ["denied"]
    plan = large_plan(denied=denied)
    began = time.perf_counter()
    proof = prove(plan)
    seconds = time.perf_counter() - began
    assert proof.accounts == ACCOUNTS
    assert bool(proof.findings) is denied, proof.findings[:1]
    peak = peak_mib()
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main()
