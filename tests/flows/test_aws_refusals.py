"""What AWS refuses, said so that a person knows where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from org.apply.outcome import Failed, Outcome, Skipped
from org.errors import AccessDenied, AlreadySo, NotFound, OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors, translate
from org.model import ROOT, OperationPreferences
from org.sandbox.settings import Settings, sandbox_quotas
from tests.support.organizations import (
    FRANKFURT,
    VIRGINIA,
    account,
    desired,
    on_root,
    policy,
    stackset,
    template,
    unit,
)
from tests.support.rollout import Rollout
from tests.support.sandbox import assume, create_account, sandbox_session

OTHER = template(Topic={"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "other"}})


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with sandbox_session() as session:
        yield Rollout(session)


def failures(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    return {o.step.id: o.error for o in outcomes if isinstance(o, Failed)}


def test_no_organization_yet_is_the_first_thing_to_make(rollout: Rollout) -> None:
    assert rollout.plan(desired()).steps[0].change.describe() == "create the organization, with all features"


def test_credentials_of_a_member_account_are_refused(rollout: Rollout) -> None:
    organizations = rollout.session.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
    member = create_account(organizations, "Shop")
    with pytest.raises(OrgctlError) as caught:
        Rollout(assume(rollout.session, member)).plan(desired())
    management = organization["MasterAccountId"]
    assert str(caught.value) == (
        f"account {member}: not the management account of organization {organization['Id']}, which is {management}; "
        f"use credentials of account {management}"
    )


def test_organization_with_consolidated_billing_only_is_refused(rollout: Rollout) -> None:
    organizations = rollout.session.client("organizations")
    id = organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")["Organization"]["Id"]
    with pytest.raises(OrgctlError) as caught:
        rollout.plan(desired())
    assert str(caught.value) == (
        f"organization {id}: only consolidated billing is enabled, so there are no policies and no StackSets; "
        "run `aws organizations enable-all-features`, let the invited accounts accept, then run again"
    )


def test_email_that_is_taken_stops_what_needs_the_account_and_nothing_else(rollout: Rollout) -> None:
    wanted = desired(
        [unit("Prod")],
        [account("Shop", "Prod", email="management@example.com"), account("Web", "Prod")],
        stacksets=[stackset("base", ROOT)],
    )
    wanted = replace(wanted, accounts=(replace(wanted.accounts[0], email="other@example.com"), *wanted.accounts[1:]))
    outcomes = rollout.apply(wanted, rollout.plan(wanted))
    assert failures(outcomes) == {
        "create-account:Shop": (
            "account Shop <management@example.com>: not created: the email belongs to an AWS account already; "
            "use another address (plus-addressing works), or invite the account and write its id"
        )
    }
    assert [o.step.id for o in outcomes if isinstance(o, Skipped)] == ["move-account:Shop"]
    assert {a.name: a.unit for a in rollout.observe(wanted).accounts}["Web"] == "Prod"
    assert len(rollout.observe(wanted).stacksets[0].instances) == 1


def test_run_again_completes_what_a_failure_left(rollout: Rollout) -> None:
    broken = desired([unit("Prod")], [account("Shop", "Prod", email="management@example.com")])
    broken = replace(broken, accounts=(replace(broken.accounts[0], email="other@example.com"), broken.accounts[1]))
    rollout.apply(broken, rollout.plan(broken))
    mended = desired([unit("Prod")], [account("Shop", "Prod")])
    assert [step.id for step in rollout.bootstrap(mended).steps] == ["create-account:Shop", "move-account:Shop"]


def test_quota_of_accounts_says_what_to_ask_for() -> None:
    with sandbox_session(settings=Settings(quotas=sandbox_quotas(accounts=2))) as session:
        rollout = Rollout(session)
        wanted = desired(accounts=[account("Shop"), account("Web")])
        errors = failures(rollout.apply(wanted, rollout.plan(wanted)))
    (error,) = errors.values()
    assert error.startswith("organizations:CreateAccount ")
    assert error.endswith(
        "; ask for a higher quota of accounts in Service Quotas (AWS Organizations, "
        "'Default maximum number of accounts'), then run again"
    )


def test_stacksets_access_that_was_withdrawn_is_given_back_first(rollout: Rollout) -> None:
    wanted = desired(
        accounts=[account("Shop")], stacksets=[stackset("base", ROOT), stackset("gone", ROOT, template=OTHER)]
    )
    rollout.bootstrap(wanted)
    rollout.session.client("cloudformation", region_name=FRANKFURT).deactivate_organizations_access()
    changed = desired(accounts=[account("Shop")], stacksets=[stackset("base", ROOT, regions=(FRANKFURT, VIRGINIA))])
    assert [step.id for step in rollout.bootstrap(changed).steps] == [
        "activate-stacksets-access",
        "create-stack-instances:base@1",
        "delete-stack-instances:gone@1",
        "delete-stack-set:gone",
    ]
    assert rollout.plan(changed).steps == ()


def test_operation_of_a_run_that_was_killed_is_waited_for(rollout: Rollout) -> None:
    wanted = desired(accounts=[account("Shop")], stacksets=[stackset("base", ROOT)])
    rollout.bootstrap(wanted)
    gateway = rollout.aws(wanted).stacksets
    settings, preferences = rollout.observe(wanted).stacksets[0].settings, OperationPreferences()
    # Managed execution off, as on a StackSet that was made by hand: CloudFormation takes one operation at a time then.
    cloudformation = rollout.session.client("cloudformation", region_name=FRANKFURT)
    off = cloudformation.update_stack_set(
        StackSetName="base", UsePreviousTemplate=True, ManagedExecution={"Active": False}
    )["OperationId"]
    while not gateway.describe_operation("base", off).is_over:
        pass
    gateway.update_stackset("base", settings, {"orgctl:managed": "true"}, preferences, "left-behind")
    assert gateway.list_running_operations("base") == ("left-behind",)
    changed = desired(accounts=[account("Shop")], stacksets=[stackset("base", ROOT, template=OTHER)])
    rollout.bootstrap(changed)
    assert rollout.plan(changed).steps == ()


def test_policy_that_aws_does_not_take_stops_its_attachments(rollout: Rollout) -> None:
    wanted = desired(policies=[policy("Guard", on_root(), content='{"Statement":[{"Effect":"Maybe"}]}')])
    outcomes = rollout.apply(wanted, rollout.plan(wanted))
    error = failures(outcomes)["create-policy:SERVICE_CONTROL_POLICY/Guard"]
    assert error.startswith("organizations:CreatePolicy SERVICE_CONTROL_POLICY Guard: ")
    assert error.endswith(
        "(MalformedPolicyDocumentException); mend the policy; `orgctl validate` shows where it stands"
    )
    assert [o.step.id for o in outcomes if isinstance(o, Skipped)] == [
        "attach-policy:SERVICE_CONTROL_POLICY/Guard@Root"
    ]


def refusal(code: str, message: str = "because", **more: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, "AnyCall")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (
            refusal("AccessDeniedException", "no"),
            AccessDenied,
            "access denied: no; use credentials that may make this call",
        ),
        (refusal("ExpiredToken"), OrgctlError, "the credentials have expired; sign in again, then run again"),
        (
            refusal("InvalidClientTokenId"),
            OrgctlError,
            "AWS does not know these credentials (InvalidClientTokenId); check AWS_PROFILE or --profile",
        ),
        (
            refusal("TooManyRequestsException"),
            OrgctlError,
            "AWS throttled the call until the retries ran out (TooManyRequestsException); run again later",
        ),
        (refusal("StackSetNotFoundException", "no such set"), NotFound, "no such set"),
        (
            refusal("DuplicatePolicyAttachmentException", "attached"),
            AlreadySo,
            "attached (DuplicatePolicyAttachmentException); run again: the plan was made for an earlier state",
        ),
        (
            refusal("ConstraintViolationException", "too deep", Reason="OU_DEPTH_LIMIT_EXCEEDED"),
            OrgctlError,
            "too deep (ConstraintViolationException); units nest at most five deep below the root",
        ),
        (
            refusal("InsufficientCapabilitiesException", "needs CAPABILITY_IAM"),
            OrgctlError,
            (
                "needs CAPABILITY_IAM (InsufficientCapabilitiesException); "
                "add the capability to `capabilities` of the StackSet in the manifest"
            ),
        ),
        (refusal("Surprise", "what?"), OrgctlError, "what? (Surprise)"),
    ],
)
def test_each_error_of_aws_has_a_class_and_advice(error: ClientError, kind: type[OrgctlError], told: str) -> None:
    found = translate(error, "service:Call thing")
    assert type(found) is kind
    assert str(found) == f"service:Call thing: {told}"


def test_no_credentials_points_to_the_profile_and_to_the_sandbox() -> None:
    with pytest.raises(OrgctlError) as caught:
        Connection(boto3.Session(region_name="eu-central-1")).caller_account()
    assert str(caught.value) == (
        "sts:GetCallerIdentity: no AWS credentials found; "
        "set AWS_PROFILE or pass --profile, or try it all with --sandbox"
    )


def test_no_connection_names_the_endpoint() -> None:
    with pytest.raises(OrgctlError) as caught, aws_errors("sts:GetCallerIdentity"):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    assert str(caught.value) == (
        "sts:GetCallerIdentity: no connection to http://127.0.0.1:1; check the network, or `orgctl sandbox status`"
    )
