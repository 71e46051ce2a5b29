"""For any two organizations A and B: bootstrap to A, then to B; what is observed is B, and nothing is left to do."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from org.model import (
    ROOT,
    AccountName,
    DelegatedAdministrator,
    DesiredOrganization,
    DesiredStackSet,
    LiveState,
    ObservedOrganization,
    ParameterOverride,
    Region,
    Target,
    TargetKind,
    UnitPath,
    WantedState,
    is_within,
    parent_of,
)
from tests.support.organizations import (
    FRANKFURT,
    MANAGEMENT,
    SCP,
    TAG_POLICY,
    VIRGINIA,
    account,
    desired,
    policy,
    stackset,
    unit,
)
from tests.support.rollout import Rollout
from tests.support.sandbox import sandbox_session

UNITS = ("A", "B", "A/C", "A/D", "A/C/E")
QUARANTINE = UnitPath("Q")
ACCOUNTS = ("Shop", "Web", "Audit")
SERVICES = ("config.amazonaws.com", "guardduty.amazonaws.com")

TEMPLATES = tuple(
    json.dumps(
        {
            "Parameters": {"Label": {"Type": "String", "Default": "plain"}},
            "Resources": {
                "Topic": {
                    "Type": "AWS::SNS::Topic",
                    "Properties": {
                        "TopicName": {"Fn::Sub": f"{name}-${{AWS::StackName}}"},
                        "DisplayName": {"Ref": "Label"},
                    },
                }
            },
        }
    )
    for name in ("alarms", "alerts")
)
CONTENTS: Mapping[str, tuple[str, ...]] = {
    SCP: tuple(
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"{action}","Resource":"*"}}]}}'
        for action in ("iam:CreateUser", "organizations:LeaveOrganization")
    ),
    TAG_POLICY: tuple(f'{{"tags":{{"{tag}":{{"tag_key":{{"@@assign":"{tag}"}}}}}}}}' for tag in ("Team", "Cost")),
}


@st.composite
def organizations(draw: st.DrawFn, before: DesiredOrganization | None = None) -> DesiredOrganization:
    """Draw an organization that can follow `before`: closed accounts stay closed, and none leaves the manifest."""
    chosen = draw(st.sets(st.sampled_from(UNITS)))
    paths = sorted({UnitPath(p) for path in chosen for p in _with_parents(path)})
    closed = {a.name for a in before.accounts if a.state is WantedState.CLOSED} if before else set()
    states = {
        name: "closed" if name in closed else draw(st.sampled_from(["active", "active", "quarantined", "closed"]))
        for name in ACCOUNTS
    }
    # A closed account keeps its unit from being deleted, which is tested by itself.
    accounts = [
        account(name, ROOT if states[name] == "closed" else draw(st.sampled_from([ROOT, *paths])), state=states[name])
        for name in ACCOUNTS
    ]
    places = [Target(TargetKind.ROOT, ROOT), *(Target(TargetKind.UNIT, path) for path in paths)]
    places += [Target(TargetKind.ACCOUNT, name) for name in ACCOUNTS if states[name] != "closed"]
    policies = [
        policy(
            f"{type}-{n}",
            *draw(st.sets(st.sampled_from(places))),
            type=type,
            content=draw(st.sampled_from(CONTENTS[type])),
        )
        for type in CONTENTS
        for n in range(draw(st.integers(0, 2)))
    ]
    services = draw(st.sets(st.sampled_from(SERVICES)))
    active = [name for name in ACCOUNTS if states[name] != "closed"]
    admins = [
        DelegatedAdministrator(service, AccountName(draw(st.sampled_from(active))))
        for service in sorted(services)
        if active and draw(st.booleans())
    ]
    names = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True, max_size=2))
    return desired(
        [*(unit(path) for path in paths), unit(QUARANTINE)],
        accounts,
        policies,
        [draw(_stacksets(name, paths, tuple(names[:n]))) for n, name in enumerate(names)],
        trusted_access=tuple(sorted(services)),
        delegated_administrators=tuple(admins),
        quarantine_unit=QUARANTINE,
    )


@st.composite
def _stacksets(draw: st.DrawFn, name: str, paths: list[UnitPath], earlier: tuple[str, ...]) -> DesiredStackSet:
    units = draw(st.lists(st.sampled_from([ROOT, QUARANTINE, *paths]), min_size=1, max_size=2, unique=True))
    filters = draw(st.sampled_from([{}, {}, {"only_accounts": ("Shop",)}, {"except_accounts": ("Shop", "Web")}]))
    overrides = draw(
        st.sampled_from(
            [
                (),
                (),
                (ParameterOverride({"Label": "special"}, accounts=(AccountName("Shop"),)),),
                (ParameterOverride({"Label": "here"}, regions=(VIRGINIA,)),),
            ]
        )
    )
    return stackset(
        name,
        *units,
        regions=draw(st.sampled_from([(FRANKFURT,), (FRANKFURT, VIRGINIA), (VIRGINIA,)])),
        template=draw(st.sampled_from(TEMPLATES)),
        parameters=draw(st.sampled_from([{}, {"Label": "common"}])),
        depends_on=tuple(n for n in earlier if draw(st.booleans())),
        overrides=overrides,
        **filters,
    )


def _with_parents(path: str) -> list[str]:
    found = [path]
    while parent_of(UnitPath(found[-1])) != ROOT:
        found.append(parent_of(UnitPath(found[-1])))
    return found


@st.composite
def pairs(draw: st.DrawFn) -> tuple[DesiredOrganization, DesiredOrganization]:
    first = draw(organizations())
    return first, draw(organizations(before=first))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pairs())
def test_bootstrap_to_any_organization_from_any_other(pair: tuple[DesiredOrganization, DesiredOrganization]) -> None:
    first, second = pair
    with sandbox_session() as session:
        rollout = Rollout(session)
        rollout.bootstrap(first)
        assert seen(rollout.observe(first), first) == asked(first)
        rollout.bootstrap(second)
        assert seen(rollout.observe(second), second) == asked(second)
        left = rollout.plan(second)
        assert [step.change.describe() for step in left.steps] == []


Facts = dict[str, object]


def asked(wanted: DesiredOrganization) -> Facts:
    """Say what a manifest asks for, in words that can be compared with what is seen."""
    units = {a.name: wanted.quarantine_unit if a.state is WantedState.QUARANTINED else a.unit for a in wanted.accounts}
    open_accounts = {a.name for a in wanted.accounts if a.state is not WantedState.CLOSED}
    return {
        "units": {unit.path for unit in wanted.units},
        "accounts": {(a.name, units[a.name]) for a in wanted.accounts if a.name in open_accounts},
        "policies": {(p.type, p.name, p.content, frozenset(p.targets)) for p in wanted.policies},
        "trusted access": set(wanted.trusted_access),
        "delegated administrators": {(d.service, d.account) for d in wanted.delegated_administrators},
        "StackSets": {(s.name, s.settings.template) for s in wanted.stacksets},
        "instances": {
            (s.name, name, region, *_overridden(s, name, region))
            for s in wanted.stacksets
            for name in open_accounts - {MANAGEMENT}
            for region in s.regions
            if any(is_within(units[name], target) for target in s.units)
            and (not s.only_accounts or name in s.only_accounts)
            and name not in s.except_accounts
        },
    }


def _overridden(stackset: DesiredStackSet, name: AccountName, region: Region) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for override in stackset.overrides:
        if (not override.accounts or name in override.accounts) and (
            not override.regions or region in override.regions
        ):
            found |= override.parameters
    return sorted(found.items())


def seen(observed: ObservedOrganization, wanted: DesiredOrganization) -> Facts:
    names = {account.id: account.name for account in observed.accounts}
    targets = {observed.root_id: Target(TargetKind.ROOT, ROOT)}
    targets |= {unit.id: Target(TargetKind.UNIT, unit.path) for unit in observed.units}
    targets |= {id: Target(TargetKind.ACCOUNT, name) for id, name in names.items()}
    states = {account.id: account.state for account in observed.accounts}
    return {
        "units": {unit.path for unit in observed.units},
        "accounts": {(a.name, a.unit) for a in observed.accounts if a.state is LiveState.ACTIVE},
        "policies": {
            (p.type, p.name, p.content, frozenset(targets[id] for id in p.target_ids))
            for p in observed.policies
            if not p.aws_managed
        },
        "trusted access": {s for s in observed.trusted_access if "stacksets" not in s},
        "delegated administrators": {(service, names[id]) for service, id in observed.delegated_administrators},
        "StackSets": {(s.name, s.settings.template) for s in observed.stacksets},
        "instances": {
            (s.name, names[i.account_id], i.region, *sorted(i.overrides.items()))
            for s in observed.stacksets
            for i in s.instances
            if states[i.account_id] is LiveState.ACTIVE
        },
    }
