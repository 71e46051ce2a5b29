"""For any two organizations A and B: bootstrap to A, then to B; what is observed is B, and nothing is left to do."""

from __future__ import annotations

from random import Random
from typing import Any

import boto3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.plan_file import dump_plan
from org.model import (
    ROOT,
    AccountName,
    Contact,
    ContactType,
    DelegatedAdministrator,
    DesiredAccount,
    DesiredOrganization,
    DesiredStackSet,
    DesiredUnit,
    ParameterOverride,
    Target,
    TargetKind,
    UnitPath,
    WantedState,
    child_path,
    is_within,
    parent_of,
)
from tests.support.facts import asked, foreseen, instances, seen
from tests.support.organizations import (
    FRANKFURT,
    SCP,
    VIRGINIA,
    account,
    desired,
    policy,
    stackset,
    unit,
)
from tests.support.rollout import Rollout
from tests.support.sandbox import create_policy, create_unit, root_of, sandbox_session
from tests.support.two_manifests import CONTENTS, TEMPLATES

UNITS = ("A", "B", "A/C", "A/D", "A/C/E")
QUARANTINE = UnitPath("Q")
ACCOUNTS = ("Shop", "Web", "Audit")
SERVICES = ("config.amazonaws.com", "guardduty.amazonaws.com")
ACCOUNT_MANAGEMENT = "account.amazonaws.com"
THEIRS = "Theirs"
"""What somebody made by hand, before or between our runs."""

TAGS = st.dictionaries(st.sampled_from(["Team", "Cost"]), st.sampled_from(["shop", "web", None]), max_size=2)
CONTACTS = st.dictionaries(
    st.sampled_from([ContactType.SECURITY, ContactType.BILLING]),
    st.sampled_from(
        [Contact("Ada", "CISO", "ada@example.com", "+49 30 1"), Contact("Bo", "CFO", "b@x.org", "1"), None]
    ),
    max_size=1,
)


@st.composite
def organizations(draw: st.DrawFn, before: DesiredOrganization | None = None) -> DesiredOrganization:
    """Draw an organization that can follow `before`: closed accounts stay closed, and none leaves the manifest."""
    chosen = draw(st.sets(st.sampled_from(UNITS)))
    paths = sorted({UnitPath(p) for path in chosen for p in _with_parents(path)})
    units = [*draw(_units(paths)), *(draw(_renamed(before, paths)) if before else ())]
    paths = sorted(unit.path for unit in units)
    accounts = [draw(_accounts(name, paths, before)) for name in ACCOUNTS]
    active = [account.name for account in accounts if account.state is not WantedState.CLOSED]
    places = [Target(TargetKind.ROOT, ROOT), *(Target(TargetKind.UNIT, path) for path in paths)]
    places += [Target(TargetKind.ACCOUNT, name) for name in active]
    policies = [
        policy(
            f"{type}-{n}",
            *draw(st.sets(st.sampled_from(places))),
            type=type,
            content=draw(st.sampled_from(CONTENTS[type])),
            description=draw(st.sampled_from(["", "first", "second"])),
            tags=draw(TAGS),
        )
        for type in CONTENTS
        for n in range(draw(st.integers(0, 2)))
    ]
    services = draw(st.sets(st.sampled_from(SERVICES)))
    admins = [
        DelegatedAdministrator(service, AccountName(draw(st.sampled_from(active))))
        for service in sorted(services)
        if active and draw(st.booleans())
    ]
    names = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True, max_size=2))
    contacts = {ACCOUNT_MANAGEMENT} if any(account.contacts for account in accounts) else set()
    return desired(
        [*units, unit(QUARANTINE)],
        accounts,
        policies,
        [draw(_stacksets(name, paths, tuple(names[:n]))) for n, name in enumerate(names)],
        trusted_access=tuple(sorted(services | contacts)),
        delegated_administrators=tuple(admins),
        quarantine_unit=QUARANTINE,
    )


@st.composite
def _units(draw: st.DrawFn, paths: list[UnitPath]) -> list[DesiredUnit]:
    return [DesiredUnit(path, draw(TAGS)) for path in paths]


@st.composite
def _renamed(draw: st.DrawFn, before: DesiredOrganization, paths: list[UnitPath]) -> list[DesiredUnit]:
    """Draw at most one unit of before that has another name now, or another parent."""
    left = [u.path for u in before.units if u.path != QUARANTINE and not any(is_within(p, u.path) for p in paths)]
    if not left or not draw(st.booleans()):
        return []
    old = draw(st.sampled_from(left))
    parents = [parent for parent in (ROOT, *paths) if parent.count("/") < 3]
    if parent_of(old) in parents:
        parents = [parent_of(old), *parents]
    return [DesiredUnit(child_path(draw(st.sampled_from(parents)), "New"), draw(TAGS), formerly=old)]


@st.composite
def _accounts(draw: st.DrawFn, name: str, paths: list[UnitPath], before: DesiredOrganization | None) -> DesiredAccount:
    closed = before is not None and any(a.name == name and a.state is WantedState.CLOSED for a in before.accounts)
    state = "closed" if closed else draw(st.sampled_from(["active", "active", "quarantined", "closed"]))
    place = draw(st.sampled_from([ROOT, *paths]))
    return account(name, place, state=state, tags=draw(TAGS), contacts=draw(CONTACTS))


@st.composite
def _stacksets(draw: st.DrawFn, name: str, paths: list[UnitPath], earlier: tuple[str, ...]) -> DesiredStackSet:
    units = draw(st.lists(st.sampled_from([ROOT, QUARANTINE, *paths]), min_size=1, max_size=2, unique=True))
    ways = [
        {},
        {},
        {"retain_on_removal": True},
        {"auto_deployment": False},
        {"only_accounts": ("Shop",)},
        {"except_accounts": ("Shop", "Web")},
    ]
    overrides = [
        (),
        (),
        (ParameterOverride({"Label": "special"}, accounts=(AccountName("Shop"),)),),
        (ParameterOverride({"Label": "here"}, regions=(VIRGINIA,)),),
    ]
    return stackset(
        name,
        *units,
        regions=draw(st.sampled_from([(FRANKFURT,), (FRANKFURT, VIRGINIA), (VIRGINIA,)])),
        template=draw(st.sampled_from(TEMPLATES)),
        parameters=draw(st.sampled_from([{}, {"Label": "common"}, {"Label": "plain"}])),
        description=draw(st.sampled_from(["", "what it is for"])),
        depends_on=tuple(n for n in earlier if draw(st.booleans())),
        overrides=draw(st.sampled_from(overrides)),
        **draw(st.sampled_from(ways)),
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


ORDERS = st.one_of(st.none(), st.integers(0, 2**32).map(Random))
"""Side by side as in a real run, or one by one in some order that the needs of the steps allow: no step is to be done
in time by luck."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pairs(), ORDERS, st.booleans())
def test_bootstrap_to_any_organization_from_any_other(
    pair: tuple[DesiredOrganization, DesiredOrganization], order: Random | None, of_others: bool
) -> None:
    _, second = pair
    with sandbox_session() as session:
        rollout = Rollout(session)
        theirs = _make_things_of_others(session) if of_others else {}
        for wanted in pair:
            plan = rollout.bootstrap(wanted, order)
            observed = rollout.observe(wanted)
            assert observed.unread == ()
            assert seen(observed, wanted) == asked(wanted)
            assert foreseen(plan) == instances(observed)
        left = rollout.plan(second)
        assert [step.change.describe() for step in left.steps] == []
        assert dump_plan(left) == dump_plan(rollout.plan(second))
        assert not of_others or _things_of_others(session) == theirs


def _make_things_of_others(session: boto3.Session) -> dict[str, object]:
    organizations: Any = session.client("organizations")
    cloudformation: Any = session.client("cloudformation", region_name=FRANKFURT)
    organizations.create_organization(FeatureSet="ALL")
    cloudformation.activate_organizations_access()
    unit = create_unit(organizations, THEIRS)
    for target in (unit, root_of(organizations)):
        organizations.attach_policy(PolicyId=create_policy(organizations, f"{THEIRS}-{target}"), TargetId=target)
    cloudformation.create_stack_set(
        StackSetName=THEIRS,
        PermissionModel="SERVICE_MANAGED",
        TemplateBody=TEMPLATES[0],
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    return _things_of_others(session)


def _things_of_others(session: boto3.Session) -> dict[str, object]:
    organizations: Any = session.client("organizations")
    cloudformation: Any = session.client("cloudformation", region_name=FRANKFURT)
    units = organizations.list_organizational_units_for_parent(ParentId=root_of(organizations))["OrganizationalUnits"]
    policies = organizations.list_policies(Filter=SCP)["Policies"]
    return {
        "units": [unit for unit in units if unit["Name"] == THEIRS],
        "policies": {
            p["Id"]: (
                organizations.describe_policy(PolicyId=p["Id"])["Policy"],
                organizations.list_targets_for_policy(PolicyId=p["Id"])["Targets"],
            )
            for p in policies
            if p["Name"].startswith(THEIRS)
        },
        "StackSet": cloudformation.describe_stack_set(StackSetName=THEIRS)["StackSet"],
    }
