"""One change carried out where AWS is slow, forgetful or busy; with gateways that answer what they are told to."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from org.apply.execute import Executor
from org.apply.watch import Pace
from org.changes import (
    ActivateStackSetsAccess,
    AttachPolicy,
    Change,
    CreateAccount,
    CreateStackInstances,
    CreateStackSet,
    DeletePolicy,
    DeleteStackSet,
    DisablePolicyType,
    EnablePolicyType,
    MoveAccount,
    Placement,
    SetContact,
    UpdateStackSet,
)
from org.errors import AlreadySo, Busy, NotFound, OrgctlError
from org.gateway.aws import Aws
from org.gateway.organizations import AccountRequest, ListedAccount
from org.gateway.stacksets import FailedInstance, Operation
from org.model import AccountId, ContactType, LiveState, OperationPreferences, StackSetSettings, UnitPath
from tests.support.organizations import (
    FRANKFURT,
    MANAGEMENT_ID,
    ROOT_ID,
    SCP,
    TAG_POLICY,
    account,
    live_stackset,
    on_root,
)

SHOP = account("Shop").name
SHOP_ID = AccountId("000000000002")
IDS = {
    "root-id": ROOT_ID,
    "unit-id:Root": ROOT_ID,
    "unit-id:Prod": "ou-prod",
    "account-id:Shop": SHOP_ID,
    f"policy-id:{SCP}:Guard": "p-1",
    **{f"unit-id:U{n}": f"ou-{n}" for n in range(120)},
}
PREFERENCES = OperationPreferences()
DEPLOY = CreateStackInstances("base", Placement((UnitPath("Prod"),), (FRANKFURT,)), PREFERENCES)
RUNNING, SUCCEEDED = Operation("RUNNING", ""), Operation("SUCCEEDED", "")


class Gateway:
    """Answers each call with what was prepared for it, one after the other, the last for ever; errors are raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*given: Any, **_: Any) -> Any:
            self.calls.append((name, given))
            prepared = self._answers.get(name, [None])
            found = prepared.pop(0) if len(prepared) > 1 else prepared[0]
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    @property
    def called(self) -> list[str]:
        return [name for name, _ in self.calls]


def execute(
    change: Change, organizations: Gateway | None = None, stacksets: Gateway | None = None, **pace: float
) -> tuple[tuple[str, ...], dict[str, str], list[str]]:
    """Answer the notes, the ids that are known then, and what was said while waiting."""
    given: Any = organizations or Gateway()
    sets: Any = stacksets or Gateway()
    accounts: Any = given
    waited: list[str] = []
    numbers = itertools.count(1)
    executor = Executor(
        Aws(MANAGEMENT_ID, given, accounts, sets),
        dict(IDS),
        Pace(lambda _: None, **pace),
        lambda: f"operation-{next(numbers)}",
        on_wait=waited.append,
    )
    return executor.execute(change), executor.ids, waited


# organizations


def test_policy_type_counts_as_enabled_when_the_root_says_so() -> None:
    gateway = Gateway(describe_root=[(ROOT_ID, ()), (ROOT_ID, ()), (ROOT_ID, (TAG_POLICY,))])
    _, _, waited = execute(EnablePolicyType(TAG_POLICY), gateway)
    assert waited == ["policy type TAG_POLICY: not enabled yet"] * 2


def test_policy_type_that_another_run_is_enabling_is_waited_for() -> None:
    already = AlreadySo("organizations:EnablePolicyType", "already")
    gateway = Gateway(enable_policy_type=already, describe_root=[(ROOT_ID, ()), (ROOT_ID, (TAG_POLICY,))])
    assert len(execute(EnablePolicyType(TAG_POLICY), gateway)[2]) == 1


def test_policy_type_that_never_gets_enabled_is_given_up() -> None:
    with pytest.raises(OrgctlError) as caught:
        execute(EnablePolicyType(TAG_POLICY), Gateway(describe_root=(ROOT_ID, ())))
    assert str(caught.value) == "policy type TAG_POLICY: not enabled yet after 60 s; look at it, then run again"


def test_our_tag_goes_with_the_policy_type() -> None:
    gateway = Gateway()
    execute(DisablePolicyType(TAG_POLICY), gateway)
    assert gateway.called == ["disable_policy_type", "remove_tags"]


def test_attachment_that_is_there_already_counts_as_made() -> None:
    refused = AlreadySo("organizations:AttachPolicy p-1", "attached")
    notes, _, _ = execute(AttachPolicy(SCP, "Guard", on_root()), Gateway(attach_policy=refused))
    assert notes == ("organizations:AttachPolicy p-1: attached",)


def test_attachment_of_a_type_that_is_not_enabled_is_a_failure() -> None:
    refused = OrgctlError("organizations:AttachPolicy p-1", "PolicyTypeNotEnabledException")
    with pytest.raises(OrgctlError):
        execute(AttachPolicy(SCP, "Guard", on_root()), Gateway(attach_policy=refused))


def test_what_is_gone_counts_as_deleted() -> None:
    gone = NotFound("organizations:DeletePolicy p-1", "no such policy")
    notes, _, _ = execute(DeletePolicy(SCP, "Guard"), Gateway(delete_policy=gone))
    assert notes == ("organizations:DeletePolicy p-1: no such policy",)
    execute(SetContact(SHOP, ContactType.BILLING, None), Gateway(delete_contact=gone))


def test_move_whose_first_answer_was_lost_counts_as_done() -> None:
    change = MoveAccount(SHOP, UnitPath("Root"), UnitPath("Prod"))
    lost = OrgctlError("organizations:MoveAccount", "SourceParentNotFoundException")
    execute(change, Gateway(move_account=lost, find_parent="ou-prod"))
    with pytest.raises(OrgctlError):
        execute(change, Gateway(move_account=lost, find_parent=ROOT_ID))


def request(state: str, account_id: str = "", failure: str = "") -> AccountRequest:
    return AccountRequest("car-1", state, AccountId(account_id), failure)


def test_account_is_waited_for() -> None:
    gateway = Gateway(
        request_account=request("IN_PROGRESS"),
        describe_account_request=[request("IN_PROGRESS"), request("SUCCEEDED", "000000000007")],
    )
    _, ids, waited = execute(CreateAccount(SHOP, "shop@example.com", {}), gateway)
    assert ids["account-id:Shop"] == "000000000007"
    assert waited == ["account Shop <shop@example.com>: AWS is still creating it"] * 2


def test_account_that_takes_too_long_is_left_to_the_next_run() -> None:
    gateway = Gateway(request_account=request("IN_PROGRESS"), describe_account_request=request("IN_PROGRESS"))
    with pytest.raises(OrgctlError) as caught:
        execute(CreateAccount(SHOP, "shop@example.com", {}), gateway, patience=20.0)
    assert str(caught.value) == (
        "account Shop <shop@example.com>: AWS is still creating it after 20 s; look at it, then run again"
    )


def test_account_whose_first_request_was_answered_to_nobody_is_found_again() -> None:
    taken = request("FAILED", failure="EMAIL_ALREADY_EXISTS")
    made = ListedAccount(SHOP_ID, SHOP, "Shop@example.com", LiveState.ACTIVE, ())
    gateway = Gateway(request_account=taken, list_accounts=(made,))
    assert execute(CreateAccount(SHOP, "shop@example.com", {}), gateway)[1]["account-id:Shop"] == SHOP_ID
    other = ListedAccount(SHOP_ID, account("Web").name, "shop@example.com", LiveState.ACTIVE, ())
    with pytest.raises(OrgctlError) as caught:
        execute(CreateAccount(SHOP, "shop@example.com", {}), Gateway(request_account=taken, list_accounts=(other,)))
    assert str(caught.value) == (
        "account Shop <shop@example.com>: not created: the email belongs to an AWS account already; "
        "use another address (plus-addressing works), or invite the account and write its id"
    )


# StackSets


def test_access_of_stacksets_is_waited_for() -> None:
    gateway = Gateway(has_organizations_access=[False, True])
    assert execute(ActivateStackSetsAccess(), stacksets=gateway)[2] == ["StackSets: their access is not active yet"]


def test_new_stackset_may_take_a_while_to_show() -> None:
    missing = NotFound("cloudformation:DescribeStackSet base", "not found")
    found = live_stackset("base", [], [])
    gateway = Gateway(describe_stackset=[missing, missing, found])
    _, ids, waited = execute(CreateStackSet("base", StackSetSettings("{}"), {}), stacksets=gateway)
    assert (ids["stackset-arn:base"], len(waited)) == (found.arn, 2)


def test_operation_is_waited_for_and_what_failed_within_its_tolerance_is_told() -> None:
    failed = (FailedInstance(SHOP_ID, FRANKFURT, "role exists"),)
    missing = NotFound("cloudformation:DescribeStackSetOperation base", "not found")
    gateway = Gateway(describe_operation=[missing, RUNNING, SUCCEEDED], list_failed_instances=failed)
    notes, _, waited = execute(DEPLOY, stacksets=gateway)
    assert notes == ("StackSet base failed in 000000000002 eu-central-1: role exists",)
    assert waited == ["StackSet base: operation operation-1 is still running"] * 2


def test_operation_that_fails_says_where_and_why() -> None:
    failed = tuple(FailedInstance(AccountId(f"{n:012}"), FRANKFURT, "role exists") for n in range(5))
    gateway = Gateway(describe_operation=Operation("FAILED", "too many"), list_failed_instances=failed)
    with pytest.raises(OrgctlError) as caught:
        execute(DEPLOY, stacksets=gateway)
    assert str(caught.value) == (
        "StackSet base: its operation failed: 000000000000 eu-central-1: role exists; "
        "000000000001 eu-central-1: role exists; 000000000002 eu-central-1: role exists; and 2 more; "
        "mend what the reasons name and run again: what is deployed stays deployed"
    )


def test_operation_that_was_stopped_says_what_aws_says_of_it() -> None:
    gateway = Gateway(describe_operation=Operation("STOPPED", "by hand"), list_failed_instances=())
    with pytest.raises(OrgctlError) as caught:
        execute(DEPLOY, stacksets=gateway)
    assert str(caught.value).startswith("StackSet base: its operation stopped: by hand; ")


def test_operation_that_takes_too_long_is_left_to_the_next_run() -> None:
    with pytest.raises(OrgctlError) as caught:
        execute(DEPLOY, stacksets=Gateway(describe_operation=RUNNING), patience=3600.0)
    assert str(caught.value) == (
        "StackSet base: operation operation-1 is still running after 3,600 s; look at it, then run again"
    )


def test_call_that_was_sent_twice_is_one_operation() -> None:
    sent = AlreadySo("cloudformation:CreateStackInstances base", "OperationIdAlreadyExistsException")
    gateway = Gateway(create_instances=sent, describe_operation=[RUNNING, SUCCEEDED], list_failed_instances=())
    execute(DEPLOY, stacksets=gateway)
    assert [given[1] for name, given in gateway.calls if name == "describe_operation"] == ["operation-1"] * 2


@pytest.mark.parametrize(
    ("change", "call"),
    [
        (DEPLOY, "create_instances"),
        (UpdateStackSet("base", StackSetSettings("{}"), {}, PREFERENCES, ("template",)), "update_stackset"),
        (DeleteStackSet("base"), "delete_stackset"),
    ],
)
def test_operation_of_an_earlier_run_is_waited_for(change: Change, call: str) -> None:
    busy = Busy(f"cloudformation:{call} base", "another operation is in progress")
    gateway = Gateway(
        **{call: [busy, None]},
        list_running_operations=("earlier",),
        describe_operation=[RUNNING, Operation("FAILED", "its own affair"), SUCCEEDED],
        list_failed_instances=(),
    )
    _, _, waited = execute(change, stacksets=gateway)
    assert gateway.called.count(call) == 2
    assert waited[0] == "StackSet base: operation earlier is still running"


def test_account_that_was_not_created_is_left_out_of_a_deployment() -> None:
    placement = Placement((UnitPath("Prod"),), (FRANKFURT,), (SHOP, account("Lost").name))
    gateway = Gateway(describe_operation=SUCCEEDED, list_failed_instances=())
    notes, _, _ = execute(CreateStackInstances("base", placement, PREFERENCES), stacksets=gateway)
    assert notes == ("StackSet base does not reach account Lost, which was not created",)
    (targets,) = [given[1] for name, given in gateway.calls if name == "create_instances"]
    assert targets.account_ids == (SHOP_ID,)
    nobody = Placement((UnitPath("Prod"),), (FRANKFURT,), (account("Lost").name,))
    with pytest.raises(OrgctlError) as caught:
        execute(CreateStackInstances("base", nobody, PREFERENCES), stacksets=gateway)
    assert str(caught.value) == "StackSet base: none of the accounts that it goes to was created; run again"


def test_more_than_fifty_units_are_deployed_to_in_several_operations() -> None:
    gateway = Gateway(describe_operation=SUCCEEDED, list_failed_instances=())
    units = tuple(UnitPath(f"U{n}") for n in range(120))
    execute(CreateStackInstances("base", Placement(units, (FRANKFURT,)), PREFERENCES), stacksets=gateway)
    sizes = [len(given[1].unit_ids) for name, given in gateway.calls if name == "create_instances"]
    assert sizes == [50, 50, 20]
