"""Whether a saved plan still holds: what counts as a movement of the organization, and what does not."""

from __future__ import annotations

from dataclasses import replace

from org.model import AccountId, AccountName, LiveState, ObservedOrganization, PendingAccount, Unread
from org.plan.moved import find_movements
from tests.support.organizations import (
    FRANKFURT,
    ROOT_ID,
    instance,
    live_account,
    live_policy,
    live_stackset,
    live_unit,
    observed,
)


def test_same_organization_has_not_moved_whatever_the_order_of_its_parts() -> None:
    then = observed([live_unit("A"), live_unit("B")], [live_account("X", 2), live_account("Y", 3)])
    now = replace(then, units=then.units[::-1], accounts=then.accounts[::-1])
    assert find_movements(then, now) == ()


def test_each_thing_that_differs_is_named() -> None:
    then = observed([live_unit("A"), live_unit("B", Team="x")], policies=[live_policy("P", ROOT_ID)])
    now = observed(
        [live_unit("B", Team="y"), live_unit("C")],
        policies=[live_policy("P", ROOT_ID, content="{}")],
        pending_accounts=(PendingAccount("car-1", AccountName("Shop")),),
        delegated_administrators=(("config.amazonaws.com", AccountId("000000000002")),),
        stacksets_access=False,
    )
    assert find_movements(then, now) == (
        "units: C is new",
        "units: A is gone",
        "units: B has changed",
        "pending accounts: Shop is new",
        "policies: SERVICE_CONTROL_POLICY P has changed",
        "delegated administrators: config.amazonaws.com 000000000002 is new",
        "stacksets access was True and is none",
    )


def test_organization_made_since_is_a_movement() -> None:
    then = ObservedOrganization(caller_account=AccountId("111111111111"))
    assert "id was none and is o-example" in find_movements(then, observed())


def test_accounts_of_one_name_are_told_apart() -> None:
    then = observed(accounts=[live_account("X", 2), live_account("X", 3)])
    now = replace(
        then, accounts=(*then.accounts[:1], replace(then.accounts[1], state=LiveState.SUSPENDED), then.accounts[2])
    )
    assert find_movements(then, now) == ("accounts: X (000000000002) has changed",)


def test_progress_of_an_operation_is_no_movement_and_its_result_is() -> None:
    def deployed(status: str, detail: str) -> ObservedOrganization:
        found = replace(instance(2, status=status), detailed_status=detail, reason=detail)
        return observed(stacksets=[live_stackset("base", [(ROOT_ID, FRANKFURT)], [found])])

    assert find_movements(deployed("OUTDATED", "PENDING"), deployed("OUTDATED", "RUNNING")) == ()
    assert find_movements(deployed("OUTDATED", "RUNNING"), deployed("CURRENT", "SUCCEEDED")) == (
        "stacksets: base has changed",
    )


def test_what_could_not_be_read_is_no_movement_by_itself() -> None:
    then = observed()
    assert find_movements(then, replace(then, unread=(Unread("tags", "ou-a", "denied"),))) == ()
