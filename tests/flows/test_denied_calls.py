"""Calls that AWS denies: what they would have told counts as unknown, nothing is taken away, the rest is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from org.apply.outcome import Done
from org.errors import AccessDenied
from org.model import DelegatedAdministrator, DesiredOrganization, ParameterOverride, UnitPath
from org.plan.model import Plan
from tests.support.organizations import (
    FRANKFURT,
    SCP,
    TAG_POLICY,
    account,
    desired,
    on_root,
    on_unit,
    policy,
    stackset,
    unit,
)
from tests.support.rollout import Rollout
from tests.support.sandbox import sandbox_session
from tests.support.two_manifests import CONTENTS, TEMPLATES

SERVICE = "config.amazonaws.com"


def organization(new: bool = False, **more: Any) -> DesiredOrganization:
    """Answer one that is complete, or one with a unit and an account more and a unit and a policy less."""
    units = [unit("Prod", Team="shop"), unit("New") if new else unit("Old")]
    accounts = [account("Shop", "Prod", tags={"Team": "shop"}), account("Audit")]
    policies = [
        policy("Guard", on_root(), content=CONTENTS[SCP][0]),
        policy("Tags", on_unit("Prod"), type=TAG_POLICY, content=CONTENTS[TAG_POLICY][0]),
    ]
    override = ParameterOverride({"Label": "own"}, units=(UnitPath("Prod"),))
    return desired(
        units,
        [*accounts, account("Fresh", "New")] if new else accounts,
        policies if new else [*policies, policy("Old", on_root(), content=CONTENTS[SCP][1])],
        [stackset("base", "Root", template=TEMPLATES[0], overrides=(override,)), stackset("more", "Prod")],
        trusted_access=(SERVICE,),
        delegated_administrators=(DelegatedAdministrator(SERVICE, account("Audit").name),),
        **more,
    )


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with sandbox_session() as session:
        rollout = Rollout(session)
        rollout.bootstrap(organization())
        yield rollout


Denies = Callable[[Mapping[str, Any]], bool]


@contextmanager
def denied(rollout: Rollout, operation: str, denies: Denies = lambda _: True) -> Iterator[None]:
    """Refuse a call, or those of its calls whose parameters are such."""

    def refuse(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        if denies(params):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, model.name)

    event = f"provide-client-params.*.{operation}"
    rollout.session.events.register(event, refuse)
    try:
        yield
    finally:
        rollout.session.events.unregister(event, refuse)


def says(plan: Plan) -> list[str]:
    return [step.change.describe() for step in plan.steps]


def id_of(rollout: Rollout, kind: str, name: str) -> str:
    observed = rollout.observe(organization())
    found: Any = getattr(observed, kind)
    return next(thing.id for thing in found if getattr(thing, "path", getattr(thing, "name", "")) == name)


NEW_AND_NOTHING_GONE = [
    "create unit New",
    "create account Fresh <fresh@example.com>",
    "move account Fresh: Root → New",
    "deploy StackSet base to Fresh in Root · eu-central-1",
]
WITHHELD = (
    "not planned, because not everything could be read: delete unit Old",
    f"not planned, because not everything could be read: detach {SCP} Old from the root",
    f"not planned, because not everything could be read: delete {SCP} Old",
)


@pytest.mark.parametrize(
    ("operation", "kind", "name", "area", "subject"),
    [
        ("ListTagsForResource", "units", "Prod", "tags", "{id}"),
        ("ListTagsForResource", "accounts", "Shop", "tags", "{id}"),
        ("ListTagsForResource", "policies", "Guard", "policies", "SERVICE_CONTROL_POLICY/Guard"),
        ("ListTargetsForPolicy", "policies", "Guard", "policies", "SERVICE_CONTROL_POLICY/Guard"),
        ("DescribePolicy", "policies", "Guard", "policies", "SERVICE_CONTROL_POLICY/Guard"),
        ("ListDelegatedServicesForAccount", "accounts", "Audit", "delegated administrators", "{id}"),
    ],
)
def test_one_thing_that_cannot_be_read_is_left_as_it_is(
    rollout: Rollout, operation: str, kind: str, name: str, area: str, subject: str
) -> None:
    id, wanted = id_of(rollout, kind, name), organization(new=True)
    with denied(rollout, operation, lambda params: id in params.values()):
        plan = rollout.plan(wanted)
        (gap,) = plan.observed.unread
        assert (gap.area, gap.subject) == (area, subject.format(id=id))
        assert gap.reason == (
            f"organizations:{operation} {id}: access denied: not you; use credentials that may make this call"
        )
        assert says(plan) == NEW_AND_NOTHING_GONE
        assert plan.notes == WITHHELD
        assert all(isinstance(outcome, Done) for outcome in rollout.apply(wanted, plan))
    assert sorted(says(rollout.bootstrap(wanted))) == sorted(note.partition("read: ")[2] for note in WITHHELD)


@pytest.mark.parametrize(
    ("operation", "area", "subject"),
    [
        ("ListDelegatedAdministrators", "delegated administrators", ""),
        ("ListAWSServiceAccessForOrganization", "trusted access", ""),
        ("ListCreateAccountStatus", "accounts being created", ""),
        ("DescribeStackSet", "StackSets", "base"),
        ("ListStackInstances", "StackSets", "base"),
        ("DescribeStackInstance", "StackSets", "base"),
        ("ListStackSetAutoDeploymentTargets", "StackSets", "base"),
        ("ListStackSets", "StackSets", ""),
        ("DescribeOrganizationsAccess", "StackSets", ""),
    ],
)
def test_area_that_cannot_be_read_is_left_as_it_is(rollout: Rollout, operation: str, area: str, subject: str) -> None:
    wanted = organization(new=True)
    with denied(rollout, operation, lambda params: params.get("StackSetName") in (None, "base")):
        plan = rollout.plan(wanted)
        assert [(gap.area, gap.subject) for gap in plan.observed.unread] == [(area, subject)]
        assert says(plan) == (NEW_AND_NOTHING_GONE[:-1] if area == "StackSets" else NEW_AND_NOTHING_GONE)
        assert plan.notes == WITHHELD
        assert all(isinstance(outcome, Done) for outcome in rollout.apply(wanted, plan))
    rollout.bootstrap(wanted)
    assert says(rollout.plan(wanted)) == []


def test_policies_of_a_type_that_cannot_be_listed_are_not_made_a_second_time(rollout: Rollout) -> None:
    wanted = organization(new=True)
    with denied(rollout, "ListPolicies", lambda params: params["Filter"] == SCP):
        plan = rollout.plan(wanted)
        assert [(gap.area, gap.subject) for gap in plan.observed.unread] == [("policies", SCP)]
        assert says(plan) == NEW_AND_NOTHING_GONE


@pytest.mark.parametrize(
    "operation",
    ["DescribeOrganization", "ListRoots", "ListAccounts", "ListOrganizationalUnitsForParent", "GetCallerIdentity"],
)
def test_without_the_skeleton_of_the_organization_there_is_no_plan(rollout: Rollout, operation: str) -> None:
    with denied(rollout, operation), pytest.raises(AccessDenied):
        rollout.plan(organization())


def test_policy_type_that_a_partition_does_not_offer_has_no_policies(rollout: Rollout) -> None:
    def refuse(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        if params["Filter"] == "CHATBOT_POLICY":
            error: Any = {
                "Error": {"Code": "InvalidInputException", "Message": "no"},
                "Reason": "INVALID_ENUM_POLICY_TYPE",
            }
            raise ClientError(error, model.name)

    rollout.session.events.register("provide-client-params.*.ListPolicies", refuse)
    plan = rollout.plan(organization())
    assert (plan.steps, plan.observed.unread) == ((), ())


def test_change_that_is_denied_stops_what_needs_it_and_nothing_else(rollout: Rollout) -> None:
    wanted = organization(new=True)
    with denied(rollout, "CreateOrganizationalUnit"):
        outcomes = rollout.apply(wanted, rollout.plan(wanted))
    undone = {outcome.step.id for outcome in outcomes if not isinstance(outcome, Done)}
    assert undone == {"create-unit:New", "move-account:Fresh"}
    assert [step.id for step in rollout.bootstrap(wanted).steps] == ["create-unit:New", "move-account:Fresh"]
    assert says(rollout.plan(wanted)) == []


def test_stackset_that_leaves_the_manifest_while_it_cannot_be_read_stays(rollout: Rollout) -> None:
    without = desired([unit("Prod"), unit("Old")], [account("Shop", "Prod"), account("Audit")])
    with denied(rollout, "DescribeStackSet", lambda params: params["StackSetName"] == "base"):
        plan = rollout.plan(without)
    assert not any(step.id.startswith("delete-") for step in plan.steps)
    assert "not planned, because not everything could be read: delete StackSet more" in plan.notes
    (preview,) = plan.previews
    assert {(i.effect, i.reason) for i in preview.instances} == {
        ("unchanged", "not withdrawn, because not everything could be read")
    }
    assert preview.stackset == "more"
    assert {i.region for i in preview.instances} == {FRANKFURT}
