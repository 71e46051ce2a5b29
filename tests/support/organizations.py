"""Small organizations as values, wanted and observed, for tests of pure code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from org.model import (
    OWNER_TAG,
    ROOT,
    AccountId,
    AccountName,
    DesiredAccount,
    DesiredOrganization,
    DesiredPolicy,
    DesiredStackSet,
    DesiredUnit,
    LiveState,
    ObservedAccount,
    ObservedInstance,
    ObservedOrganization,
    ObservedPolicy,
    ObservedStackSet,
    ObservedUnit,
    PolicyType,
    Region,
    StackSetSettings,
    Target,
    TargetKind,
    UnitPath,
    WantedState,
)

MANAGEMENT = AccountName("Management")
MANAGEMENT_ID = AccountId("111111111111")
ROOT_ID = "r-root"
SCP = PolicyType("SERVICE_CONTROL_POLICY")
TAG_POLICY = PolicyType("TAG_POLICY")
OWNED = {OWNER_TAG: "true"}
FRANKFURT, VIRGINIA = Region("eu-central-1"), Region("us-east-1")


def unit(path: str, formerly: str | None = None, **tags: str | None) -> DesiredUnit:
    return DesiredUnit(UnitPath(path), tags=tags, formerly=UnitPath(formerly) if formerly else None)


def account(name: str, unit: str = ROOT, state: str = "active", **more: Any) -> DesiredAccount:
    email = more.pop("email", f"{name.lower().replace(' ', '-')}@example.com")
    return DesiredAccount(AccountName(name), email, UnitPath(unit), WantedState(state), **more)


def policy(
    name: str, *targets: Target, type: PolicyType = SCP, content: str = '{"Statement":[]}', **more: Any
) -> DesiredPolicy:
    return DesiredPolicy(type=type, name=name, content=content, targets=tuple(sorted(targets)), **more)


def on_root() -> Target:
    return Target(TargetKind.ROOT, ROOT)


def on_unit(path: str) -> Target:
    return Target(TargetKind.UNIT, path)


def on_account(name: str) -> Target:
    return Target(TargetKind.ACCOUNT, name)


def template(**resources: Mapping[str, Any]) -> str:
    return json.dumps({"Resources": resources})


TOPIC = template(Topic={"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms", "DisplayName": "Alarms"}})


def stackset(name: str, *units: str, regions: Sequence[Region] = (FRANKFURT,), **more: Any) -> DesiredStackSet:
    settings = {key: more.pop(key) for key in list(more) if key in StackSetSettings.__dataclass_fields__}
    if more.get("only_accounts") or more.get("except_accounts"):
        settings.setdefault("auto_deployment", False)
    return DesiredStackSet(
        name=name,
        settings=StackSetSettings(**({"template": TOPIC} | settings)),
        units=tuple(UnitPath(unit) for unit in units),
        regions=tuple(regions),
        **more,
    )


def desired(
    units: Sequence[DesiredUnit] = (),
    accounts: Sequence[DesiredAccount] = (),
    policies: Sequence[DesiredPolicy] = (),
    stacksets: Sequence[DesiredStackSet] = (),
    **more: Any,
) -> DesiredOrganization:
    """The management account comes by itself."""
    return DesiredOrganization(
        home_region=FRANKFURT,
        management_account=MANAGEMENT,
        units=tuple(units),
        accounts=(account(MANAGEMENT), *accounts),
        policies=tuple(policies),
        stacksets=tuple(stacksets),
        **more,
    )


def live_unit(path: str, *, owned: bool = True, **tags: str) -> ObservedUnit:
    return ObservedUnit(id=f"ou-{path.lower()}", path=UnitPath(path), tags=(OWNED if owned else {}) | tags)


def live_account(name: str, number: int, unit: str = ROOT, state: str = "ACTIVE", **more: Any) -> ObservedAccount:
    email = more.pop("email", f"{name.lower().replace(' ', '-')}@example.com")
    id = AccountId(f"{number:012}")
    return ObservedAccount(id, AccountName(name), email, UnitPath(unit), LiveState(state), **more)


def live_policy(name: str, *targets: str, owned: bool = True, type: PolicyType = SCP, **more: Any) -> ObservedPolicy:
    return ObservedPolicy(
        id=f"p-{name.lower()}",
        type=type,
        name=name,
        description=more.pop("description", ""),
        content=more.pop("content", '{"Statement":[]}'),
        aws_managed=more.pop("aws_managed", False),
        target_ids=tuple(sorted(targets)),
        tags=OWNED if owned else {},
    )


def live_stackset(
    name: str, targets: Sequence[tuple[str, Region]], instances: Sequence[ObservedInstance], **more: Any
) -> ObservedStackSet:
    settings = {key: more.pop(key) for key in list(more) if key in StackSetSettings.__dataclass_fields__}
    return ObservedStackSet(
        name=name,
        id=f"{name}:1",
        arn=f"arn:aws:cloudformation:eu-central-1:111111111111:stackset/{name}:1",
        service_managed=True,
        managed_execution=True,
        settings=StackSetSettings(**({"template": TOPIC} | settings)),
        tags=more.pop("tags", OWNED),
        deployment_targets=tuple(sorted(targets)),
        instances=tuple(instances),
    )


def instance(number: int, region: Region = FRANKFURT, status: str = "CURRENT", **more: Any) -> ObservedInstance:
    return ObservedInstance(AccountId(f"{number:012}"), region, status, "SUCCEEDED", **more)


def observed(
    units: Sequence[ObservedUnit] = (),
    accounts: Sequence[ObservedAccount] = (),
    policies: Sequence[ObservedPolicy] = (),
    stacksets: Sequence[ObservedStackSet] = (),
    **more: Any,
) -> ObservedOrganization:
    """The management account comes by itself, and SCPs are enabled."""
    management = ObservedAccount(MANAGEMENT_ID, MANAGEMENT, "management@example.com", ROOT, LiveState.ACTIVE)
    given = {"policy_types": (SCP,), "stacksets_access": True} | more
    return ObservedOrganization(
        caller_account=MANAGEMENT_ID,
        id="o-example",
        root_id=ROOT_ID,
        management_account_id=MANAGEMENT_ID,
        units=tuple(units),
        accounts=(management, *accounts),
        policies=tuple(policies),
        stacksets=tuple(stacksets),
        **given,
    )
