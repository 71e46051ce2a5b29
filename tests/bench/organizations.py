"""Large organizations, made by rule: as values and as manifests."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from org.model import (
    OWNER_TAG,
    ROOT,
    AccountId,
    DesiredOrganization,
    LiveState,
    ObservedAccount,
    ObservedInstance,
    ObservedOrganization,
    ObservedPolicy,
    ObservedStackSet,
    ObservedUnit,
    Region,
    is_within,
)
from tests.support.organizations import (
    FRANKFURT,
    MANAGEMENT,
    MANAGEMENT_ID,
    ROOT_ID,
    SCP,
    VIRGINIA,
    account,
    desired,
    on_unit,
    policy,
    stackset,
    unit,
)

OWNED = {OWNER_TAG: "true"}


def large_organization(
    accounts: int, units: int, policies: int, regions: int, stacksets: int = 3
) -> DesiredOrganization:
    tops = max(1, units // 5)
    paths = [f"U{n}" if n < tops else f"U{n % tops}/V{n}" for n in range(units)]
    return desired(
        [unit(path) for path in paths],
        [account(f"account-{n:04}", paths[n % units]) for n in range(accounts)],
        [
            policy(
                f"guard-{n}",
                *(on_unit(path) for path in paths[n::policies]),
                content=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Deny", "Action": f"s3:DeleteBucket{n}", "Resource": "*"}],
                    }
                ),
            )
            for n in range(policies)
        ],
        [stackset(f"base-{n}", ROOT, regions=(FRANKFURT, VIRGINIA)[:regions]) for n in range(stacksets)],
    )


def as_observed(wanted: DesiredOrganization) -> ObservedOrganization:
    """Answer the organization that has all of it."""
    unit_ids = {unit.path: f"ou-{n:04}" for n, unit in enumerate(wanted.units)} | {ROOT: ROOT_ID}
    ids = {account.name: AccountId(f"{n:012}") for n, account in enumerate(wanted.accounts, 200_000_000_000)}
    ids[MANAGEMENT] = MANAGEMENT_ID
    return ObservedOrganization(
        caller_account=MANAGEMENT_ID,
        id="o-example",
        root_id=ROOT_ID,
        management_account_id=MANAGEMENT_ID,
        policy_types=(SCP,),
        units=tuple(ObservedUnit(unit_ids[unit.path], unit.path, OWNED) for unit in wanted.units),
        accounts=tuple(
            ObservedAccount(ids[a.name], a.name, a.email, a.unit, LiveState.ACTIVE) for a in wanted.accounts
        ),
        policies=tuple(
            ObservedPolicy(
                f"p-{p.name}",
                p.type,
                p.name,
                "",
                p.content,
                aws_managed=False,
                target_ids=tuple(sorted(unit_ids[t.name] for t in p.targets)),
                tags=OWNED,
            )
            for p in wanted.policies
        ),
        stacksets_access=True,
        stacksets=tuple(
            ObservedStackSet(
                name=s.name,
                id=s.name,
                arn=f"arn:{s.name}",
                service_managed=True,
                managed_execution=True,
                settings=s.settings,
                tags=OWNED,
                deployment_targets=tuple((unit_ids[u], Region(r)) for u in s.units for r in s.regions),
                instances=tuple(
                    ObservedInstance(ids[a.name], region, "CURRENT", "SUCCEEDED")
                    for a in wanted.accounts
                    if a.name != MANAGEMENT and any(is_within(a.unit, u) for u in s.units)
                    for region in s.regions
                ),
            )
            for s in wanted.stacksets
        ),
    )


def write_manifest(folder: Path, accounts: int, units: int, policies: int) -> Path:
    """Write a manifest of that size as a person would, in one file."""
    wanted = large_organization(accounts, units, policies, regions=2)
    tops = [unit for unit in wanted.units if "/" not in unit.path]
    said = {
        "version": 1,
        "organization": {
            "home_region": FRANKFURT,
            "governed_regions": [FRANKFURT, VIRGINIA],
            "management_account": MANAGEMENT,
            "log_archive_account": "account-0000",
            "audit_account": "account-0001",
            "lineage_account": "account-0002",
        },
        "units": [
            {
                "name": top.path,
                "units": [
                    {"name": u.path.rpartition("/")[2]} for u in wanted.units if u.path.startswith(top.path + "/")
                ],
            }
            for top in tops
        ],
        "accounts": [
            {"name": str(a.name), "email": a.email, "unit": str(a.unit), "tags": {"CostCenter": f"cc-{n % 40}"}}
            for n, a in enumerate(wanted.accounts)
        ],
        "policies": [
            {
                "name": p.name,
                "type": str(p.type),
                "inline": json.loads(p.content),
                "attach": {"units": [t.name for t in p.targets]},
            }
            for p in wanted.policies
        ],
    }
    path = folder / "organization.yaml"
    path.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    return path
