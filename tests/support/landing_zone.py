"""Rewrite the landing zone that AWS publishes (aws/lza-universal-configuration) as a manifest of orgctl.

Its files hold `{{ Name }}` in the configuration, `${NAME}` in the policies, and email addresses with a note behind
them that is no YAML. The policies are copied as published; the variables of the manifest give their `${...}` values.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

_CONFIGURATION = Path("lza-universal-configuration")
_POLICY_LISTS = {
    "declarativePolicies": "DECLARATIVE_POLICY_EC2",
    "resourceControlPolicies": "RESOURCE_CONTROL_POLICY",
    "serviceControlPolicies": "SERVICE_CONTROL_POLICY",
    "taggingPolicies": "TAG_POLICY",
    "backupPolicies": "BACKUP_POLICY",
}


def landing_zone_source() -> Path:
    """Where the published files are, whether they are there or not."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("ORGCTL_REAL_DATA", default)) / _CONFIGURATION


def write_landing_zone(source: Path, out: Path) -> Path:
    """Write organization.yaml and, beside it, the policy files as published; answer the manifest's path."""
    replacements = _replacements(source)
    organization = _load(source / "organization-config.yaml", replacements)
    accounts = _load(source / "accounts-config.yaml", replacements)
    out.mkdir(parents=True, exist_ok=True)
    manifest = {
        "version": 1,
        "variables": _variables(replacements),
        "organization": {
            "home_region": replacements["HomeRegion"],
            "governed_regions": replacements["EnabledRegions"],
            "management_account": "Management",
            "log_archive_account": "LogArchive",
            "audit_account": "Audit",
            # The landing zone has no account of that kind; its auditors come nearest.
            "lineage_account": "Audit",
        },
        "units": _nested([unit["name"] for unit in organization["organizationalUnits"]]),
        "accounts": [
            {"name": account["name"], "email": account["email"], "unit": account["organizationalUnit"]}
            for account in [*accounts["mandatoryAccounts"], *accounts["workloadAccounts"]]
        ],
        "policies": [_policy(type, policy) for type, policy in _published_policies(organization)],
    }
    for _, policy in _published_policies(organization):
        target = out / policy["policy"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / policy["policy"], target)
    path = out / "organization.yaml"
    # Through JSON, so that a list that stands in two places is written twice rather than as an alias.
    plain = json.loads(json.dumps(manifest))
    path.write_text(yaml.safe_dump(plain, sort_keys=False, width=120), encoding="utf-8")
    return path


def _published_policies(organization: dict) -> Iterator[tuple[str, dict]]:
    for key, type in _POLICY_LISTS.items():
        for policy in organization[key]:
            yield type, policy


def _policy(type: str, policy: dict) -> dict:
    targets = policy["deploymentTargets"]
    return {
        "name": policy["name"],
        "type": type,
        "description": policy["description"].strip(),
        "file": policy["policy"],
        "attach": {"units": targets.get("organizationalUnits", []), "accounts": targets.get("accounts", [])},
    }


def _nested(paths: list[str]) -> list[dict]:
    """The units as a tree: the landing zone writes them as paths, parents first."""
    units: list[dict] = []
    for path in paths:
        siblings = units
        *parents, name = path.split("/")
        for parent in parents:
            siblings = next(unit for unit in siblings if unit["name"] == parent).setdefault("units", [])
        siblings.append({"name": name})
    return units


def _variables(replacements: dict) -> dict:
    """What the landing zone's own tooling puts into the policies (its `${...}`)."""
    looked_up = {f"ACCEL_LOOKUP::CUSTOM:{name}": replacements[name] for name in ("AcceleratorPrefix", "EnabledRegions")}
    return {
        "PARTITION": "aws",
        "HOME_REGION": replacements["HomeRegion"],
        "ACCELERATOR_PREFIX": replacements["AcceleratorPrefix"],
        "ACCELERATOR_SSM_PREFIX": "/accelerator",
        "MANAGEMENT_ACCOUNT_ACCESS_ROLE": "OrganizationAccountAccessRole",
        "ORG_ID": "${orgctl:organization-id}",
        "LOGARCHIVE_ACCOUNT_ID": "${orgctl:account-id:LogArchive}",
        **looked_up,
    }


def _replacements(source: Path) -> dict:
    loaded = _load(source / "replacements-config.yaml", {})
    return {entry["key"]: entry["value"] for entry in loaded["globalReplacements"]}


def _load(path: Path, replacements: dict) -> dict:
    text = path.read_text(encoding="utf-8")
    # `email: <audit>@example.com  <----- UPDATE EMAIL ADDRESS`
    text = re.sub(r"<([a-z-]+)>@example\.com\s*<-+.*", r"\1@example.com", text)
    text = re.sub(r"\{\{ *(\w+) *\}\}", lambda match: _filled(match.group(1), replacements), text)
    return yaml.safe_load(text)


def _filled(name: str, replacements: dict) -> str:
    value = replacements[name]
    return value if isinstance(value, str) else json.dumps(value)
