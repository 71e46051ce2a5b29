"""Every kind of policy denies, in AWS's words; each test asserts the code and the whole message.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from org.model import RequiredCall
from org.policy.context import principal_of
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.principals import caller_of, serving
from org.sandbox.session import Credentials, isolated_session
from tests.support.sandbox import assume, create_account, create_policy, create_unit, refused, root_of, written

MANAGEMENT = "123456789012"


def attach(session: boto3.Session, target: str, *statements: dict[str, Any], **more: Any) -> str:
    """Attach a new policy to a root, unit or account, and answer its ARN."""
    organizations = session.client("organizations")
    policy = create_policy(organizations, f"Guard {target}", written(*statements), **more)
    organizations.attach_policy(PolicyId=policy, TargetId=target)
    return str(organizations.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Arn"])


def deny(action: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": "*", **more}


def allow(action: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def who(account: str, role: str = "OrganizationAccountAccessRole") -> str:
    return f"User: arn:aws:sts::{account}:assumed-role/{role}/test is not authorized to perform:"


def make_role(member: boto3.Session, name: str, *statements: dict[str, Any], **more: Any) -> None:
    iam = member.client("iam")
    account = member.client("sts").get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": [account, MANAGEMENT]}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=written(trust), **more)
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=written(*statements))


def not_implemented(caught: pytest.ExceptionInfo[ClientError]) -> str:
    error = caught.value.response["Error"]
    assert error["Code"] == "NotImplementedException"
    return error["Message"]


# --- the organization's policies


def test_an_scp_denies_and_is_named(session: boto3.Session, audit: str) -> None:
    arn = attach(session, audit, deny("iam:ListRoles"))
    message = f"{who(audit)} iam:ListRoles on resource: * with an explicit deny in a service control policy: {arn}"
    with refused("AccessDenied", message):
        assume(session, audit).client("iam").list_roles()


def test_an_scp_on_the_root_reaches_members_and_not_the_management_account(session: boto3.Session, audit: str) -> None:
    attach(session, root_of(session.client("organizations")), deny("iam:ListRoles"))
    with pytest.raises(ClientError):
        assume(session, audit).client("iam").list_roles()
    session.client("iam").list_roles()


def test_each_level_must_allow(session: boto3.Session, audit: str) -> None:
    organizations = session.client("organizations")
    unit = create_unit(organizations, "Workloads")
    organizations.move_account(AccountId=audit, SourceParentId=root_of(organizations), DestinationParentId=unit)
    attach(session, unit, allow("sts:*"))
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    message = (
        f"{who(audit)} iam:ListRoles on resource: * because no service control policy allows the iam:ListRoles action"
    )
    with refused("AccessDenied", message):
        assume(session, audit).client("iam").list_roles()


def test_what_is_detached_denies_no_longer(session: boto3.Session, audit: str) -> None:
    arn = attach(session, audit, deny("iam:ListRoles"))
    iam = assume(session, audit).client("iam")
    with pytest.raises(ClientError):
        iam.list_roles()
    session.client("organizations").detach_policy(PolicyId=arn.rpartition("/")[2], TargetId=audit)
    iam.list_roles()


def test_an_rcp_denies_and_is_named(session: boto3.Session, audit: str) -> None:
    organizations = session.client("organizations")
    organizations.enable_policy_type(RootId=root_of(organizations), PolicyType="RESOURCE_CONTROL_POLICY")
    arn = attach(session, audit, deny("sqs:SendMessage", Principal="*"), type="RESOURCE_CONTROL_POLICY")
    sqs = assume(session, audit).client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    message = (
        f"{who(audit)} sqs:sendmessage on resource: arn:aws:sqs:us-east-1:{audit}:jobs "
        f"with an explicit deny in a resource control policy: {arn}"
    )
    with refused("AccessDenied", message):
        sqs.send_message(QueueUrl=url, MessageBody="x")


def test_an_rcp_of_the_roles_account_denies_assuming_it(session: boto3.Session, audit: str) -> None:
    organizations = session.client("organizations")
    organizations.enable_policy_type(RootId=root_of(organizations), PolicyType="RESOURCE_CONTROL_POLICY")
    arn = attach(session, audit, deny("sts:AssumeRole", Principal="*"), type="RESOURCE_CONTROL_POLICY")
    message = (
        f"User: arn:aws:sts::{MANAGEMENT}:user/moto is not authorized to perform: sts:AssumeRole on resource: "
        f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole "
        f"with an explicit deny in a resource control policy: {arn}"
    )
    with refused("AccessDenied", message):
        assume(session, audit)


def test_a_guardrail_may_exempt_a_role(session: boto3.Session, audit: str) -> None:
    exempt = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/OrganizationAccountAccessRole"}}
    attach(session, audit, deny("iam:ListRoles", Condition=exempt))
    member = assume(session, audit)
    member.client("iam").list_roles()
    make_role(member, "Reader", allow("iam:*"))
    with pytest.raises(ClientError):
        assume(session, audit, "Reader").client("iam").list_roles()


def test_service_linked_roles_are_beyond_scps(session: boto3.Session, audit: str) -> None:
    arn = attach(session, audit, deny("autoscaling:*"))
    call = RequiredCall("autoscaling:DescribeAutoScalingGroups")
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    authorize_as(principal_of(f"arn:aws:iam::{audit}:role/{path}"), call, "us-east-1")
    role = f"arn:aws:iam::{audit}:role/stacksets-exec-0123456789abcdef0123456789abcdef"
    with pytest.raises(Denied) as caught:
        authorize_as(principal_of(role), call, "us-east-1")
    assert caught.value.message == (
        f"User: {role} is not authorized to perform: autoscaling:DescribeAutoScalingGroups on resource: * "
        f"with an explicit deny in a service control policy: {arn}"
    )


# --- the account's policies


def test_an_identity_needs_an_allow(session: boto3.Session, audit: str) -> None:
    make_role(assume(session, audit), "Reader", allow("iam:GetRole"))
    message = (
        f"{who(audit, 'Reader')} sqs:createqueue on resource: arn:aws:sqs:us-east-1:{audit}:jobs "
        "because no identity-based policy allows the sqs:createqueue action"
    )
    with refused("AccessDenied", message):
        assume(session, audit, "Reader").client("sqs").create_queue(QueueName="jobs")


def test_a_managed_policy_that_denies_is_named_and_an_inline_one_has_no_arn(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    make_role(member, "Reader", allow("*"), deny("iam:ListUsers"))
    iam = member.client("iam")
    arn = iam.create_policy(PolicyName="NoRoles", PolicyDocument=written(deny("iam:ListRoles")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Reader", PolicyArn=arn)
    reader = assume(session, audit, "Reader").client("iam")
    named = (
        f"{who(audit, 'Reader')} iam:ListRoles on resource: * with an explicit deny in an identity-based policy: {arn}"
    )
    with refused("AccessDenied", named):
        reader.list_roles()
    with refused(
        "AccessDenied",
        f"{who(audit, 'Reader')} iam:ListUsers on resource: * with an explicit deny in an identity-based policy",
    ):
        reader.list_users()


def test_policies_that_aws_manages_are_evaluated(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    make_role(member, "Reader")
    member.client("iam").attach_role_policy(RoleName="Reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    reader = assume(session, audit, "Reader")
    reader.client("iam").list_roles()
    with pytest.raises(ClientError, match="no identity-based policy allows the iam:CreateUser action"):
        reader.client("iam").create_user(UserName="x")


def test_a_boundary_limits(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    iam = member.client("iam")
    arn = iam.create_policy(
        PolicyName="Limit", PolicyDocument=written(allow("iam:Get*"), allow("sqs:*"), deny("sqs:PurgeQueue"))
    )["Policy"]["Arn"]
    make_role(member, "Bounded", allow("*"), PermissionsBoundary=arn)
    bounded = assume(session, audit, "Bounded")
    asked = f"{who(audit, 'Bounded')} iam:ListRoles on resource: *"
    message = f"{asked} because no permissions boundary allows the iam:ListRoles action"
    with refused("AccessDenied", message):
        bounded.client("iam").list_roles()
    sqs = bounded.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    message = (
        f"{who(audit, 'Bounded')} sqs:purgequeue on resource: arn:aws:sqs:us-east-1:{audit}:jobs "
        f"with an explicit deny in a permissions boundary: {arn}"
    )
    with refused("AccessDenied", message):
        sqs.purge_queue(QueueUrl=url)


def test_a_session_policy_limits(session: boto3.Session, audit: str) -> None:
    limited = assume(session, audit, Policy=written(allow("sqs:*")))
    limited.client("sqs").list_queues()
    message = f"{who(audit)} iam:ListRoles on resource: * because no session policy allows the iam:ListRoles action"
    with refused("AccessDenied", message):
        limited.client("iam").list_roles()


def test_a_managed_session_policy_is_named(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    document = written(allow("*"), deny("iam:ListRoles"))
    arn = iam.create_policy(PolicyName="Session", PolicyDocument=document)["Policy"]["Arn"]
    limited = assume(session, audit, PolicyArns=[{"arn": arn}])
    limited.client("iam").list_users()
    message = f"{who(audit)} iam:ListRoles on resource: * with an explicit deny in a session policy: {arn}"
    with refused("AccessDenied", message):
        limited.client("iam").list_roles()


def test_a_user_has_its_groups_policies(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=written(allow("iam:ListUsers")))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    own = isolated_session("us-east-1", Credentials(key["AccessKeyId"], key["SecretAccessKey"])).client("iam")
    with pytest.raises(ClientError):
        own.list_users()
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    own.list_users()
    message = (
        f"User: arn:aws:iam::{audit}:user/ada is not authorized to perform: iam:ListRoles on resource: * "
        "because no identity-based policy allows the iam:ListRoles action"
    )
    with refused("AccessDenied", message):
        own.list_roles()


def test_passing_a_role_needs_its_own_permission(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    make_role(member, "Maker", allow("states:*"))
    make_role(member, "Target")
    target = f"arn:aws:iam::{audit}:role/Target"
    states = assume(session, audit, "Maker").client("stepfunctions")
    message = (
        f"{who(audit, 'Maker')} iam:PassRole on resource: {target} "
        "because no identity-based policy allows the iam:PassRole action"
    )
    with refused("AccessDeniedException", message):
        states.create_state_machine(name="m", definition="{}", roleArn=target)


def test_an_instance_profile_takes_a_role_that_may_be_passed(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    make_role(member, "Maker", allow("iam:AddRoleToInstanceProfile"))
    make_role(member, "Target")
    member.client("iam").create_instance_profile(InstanceProfileName="p")
    message = (
        f"{who(audit, 'Maker')} iam:PassRole on resource: arn:aws:iam::{audit}:role/Target "
        "because no identity-based policy allows the iam:PassRole action"
    )
    with refused("AccessDenied", message):
        assume(session, audit, "Maker").client("iam").add_role_to_instance_profile(
            InstanceProfileName="p", RoleName="Target"
        )


def test_session_tags_are_principal_tags(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "core"}}
    make_role(member, "Tagged", allow("iam:ListRoles", Condition=tagged))
    trust = {"Effect": "Allow", "Principal": {"AWS": MANAGEMENT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    member.client("iam").update_assume_role_policy(RoleName="Tagged", PolicyDocument=written(trust))
    assume(session, audit, "Tagged", Tags=[{"Key": "team", "Value": "core"}]).client("iam").list_roles()
    with pytest.raises(ClientError):
        assume(session, audit, "Tagged").client("iam").list_roles()


def test_a_users_tags_are_principal_tags(session: boto3.Session, audit: str) -> None:
    iam = assume(session, audit).client("iam")
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "core"}}
    for name, team in (("ada", "core"), ("bob", "web")):
        iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": team}])
        document = written(allow("iam:ListRoles", Condition=tagged))
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        own = isolated_session("us-east-1", Credentials(key["AccessKeyId"], key["SecretAccessKey"])).client("iam")
        if team == "core":
            own.list_roles()
        else:
            with pytest.raises(ClientError, match="no identity-based policy allows the iam:ListRoles action"):
                own.list_roles()


def test_a_call_within_a_call_is_not_judged(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit).client("iam")
    attach(session, audit, deny("*"))
    with serving(caller_of("", "us-east-1")):
        member.list_roles()
    with pytest.raises(ClientError):
        member.list_roles()


def test_the_stack_engine_asks_with_the_callers_own_session(session: boto3.Session, audit: str) -> None:
    limited = assume(session, audit, Policy=written(allow("sqs:*")))
    key = limited.get_credentials()
    assert key is not None
    caller = caller_of(str(key.access_key), "us-east-1")
    call = RequiredCall("iam:ListRoles")
    with serving(caller), pytest.raises(Denied, match="no session policy allows the iam:ListRoles action"):
        authorize_as(caller.principal, call, "us-east-1")
    authorize_as(caller.principal, call, "us-east-1")


# --- other accounts' resources


@pytest.fixture
def other(session: boto3.Session) -> str:
    return create_account(session.client("organizations"), "Other")


def test_another_accounts_bucket_needs_its_policy(session: boto3.Session, audit: str, other: str) -> None:
    owner, reader = assume(session, audit).client("s3"), assume(session, other).client("s3")
    owner.create_bucket(Bucket="shared-bucket")
    owner.put_object(Bucket="shared-bucket", Key="a/b", Body=b"text")
    message = (
        f'{who(other)} s3:GetObject on resource: "arn:aws:s3:::shared-bucket/a/b" '
        "because no resource-based policy allows the s3:GetObject action"
    )
    with refused("AccessDenied", message):
        reader.get_object(Bucket="shared-bucket", Key="a/b")
    statement = allow("s3:GetObject", Principal={"AWS": other}, Resource="arn:aws:s3:::shared-bucket/a/*")
    owner.put_bucket_policy(Bucket="shared-bucket", Policy=written(statement))
    assert reader.get_object(Bucket="shared-bucket", Key="a/b")["Body"].read() == b"text"


def test_another_accounts_queue_needs_its_policy(session: boto3.Session, audit: str, other: str) -> None:
    owner, sender = assume(session, audit).client("sqs"), assume(session, other).client("sqs")
    url = owner.create_queue(QueueName="shared")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{audit}:shared"
    message = (
        f"{who(other)} sqs:sendmessage on resource: {queue} "
        "because no resource-based policy allows the sqs:sendmessage action"
    )
    with refused("AccessDenied", message):
        sender.send_message(QueueUrl=url, MessageBody="x")
    policy = written(allow("sqs:SendMessage", Principal={"AWS": other}, Resource=queue))
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sender.send_message(QueueUrl=url, MessageBody="hello")
    assert owner.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"


def test_another_accounts_key_needs_its_policy(session: boto3.Session, audit: str, other: str) -> None:
    owner, user = assume(session, audit).client("kms"), assume(session, other).client("kms")
    key = owner.create_key()["KeyMetadata"]["Arn"]
    message = (
        f"{who(other)} kms:Encrypt on resource: {key} because no resource-based policy allows the kms:Encrypt action"
    )
    with refused("AccessDeniedException", message):
        user.encrypt(KeyId=key, Plaintext=b"x")
    policy = written(allow("kms:*", Principal={"AWS": audit}), allow("kms:Encrypt", Principal={"AWS": other}))
    owner.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    secret = user.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert owner.decrypt(CiphertextBlob=secret, KeyId=key)["Plaintext"] == b"x"


def test_the_callers_own_policies_decide_on_assuming_a_role(session: boto3.Session, audit: str, other: str) -> None:
    target = f"arn:aws:iam::{other}:role/Target"
    make_role(assume(session, other), "Target")
    trust = written({"Effect": "Allow", "Principal": {"AWS": audit}, "Action": "sts:AssumeRole"})
    assume(session, other).client("iam").update_assume_role_policy(RoleName="Target", PolicyDocument=trust)
    make_role(assume(session, audit), "Nobody", allow("iam:*"))
    message = (
        f"{who(audit, 'Nobody')} sts:AssumeRole on resource: {target} "
        "because no identity-based policy allows the sts:AssumeRole action"
    )
    with refused("AccessDenied", message):
        assume(assume(session, audit, "Nobody"), other, "Target")
    assume(assume(session, audit), other, "Target")
    arn = attach(session, audit, deny("sts:AssumeRole"))
    message = (
        f"{who(audit)} sts:AssumeRole on resource: {target} with an explicit deny in a service control policy: {arn}"
    )
    with refused("AccessDenied", message):
        assume(assume(session, audit), other, "Target")


def test_a_bucket_may_deny_its_own_account(session: boto3.Session, audit: str) -> None:
    s3 = assume(session, audit).client("s3")
    s3.create_bucket(Bucket="own-bucket")
    statement = deny("s3:PutObject", Principal="*", Resource="arn:aws:s3:::own-bucket/*")
    s3.put_bucket_policy(Bucket="own-bucket", Policy=written(statement))
    message = (
        f'{who(audit)} s3:PutObject on resource: "arn:aws:s3:::own-bucket/k" '
        "with an explicit deny in a resource-based policy"
    )
    with refused("AccessDenied", message):
        s3.put_object(Bucket="own-bucket", Key="k", Body=b"")


def test_a_buckets_deny_holds_under_its_condition_alone(session: boto3.Session, audit: str) -> None:
    s3 = assume(session, audit).client("s3")
    s3.create_bucket(Bucket="own-bucket")
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    statement = deny("s3:*", Principal="*", Resource="arn:aws:s3:::own-bucket/*", Condition=plain)
    s3.put_bucket_policy(Bucket="own-bucket", Policy=written(statement))
    s3.put_object(Bucket="own-bucket", Key="k", Body=b"text")
    assert s3.get_object(Bucket="own-bucket", Key="k")["Body"].read() == b"text"


def test_strangers_are_not_told_why(session: boto3.Session, audit: str) -> None:
    assume(session, audit).client("s3").create_bucket(Bucket="own-bucket")
    iam = iam_backends["999999999999"]["aws"]
    iam.create_user("us-east-1", "eve")
    iam.users["eve"].put_policy("all", written(allow("*")))
    key = iam.create_access_key("eve")
    eve = isolated_session("us-east-1", Credentials(key.access_key_id, key.secret_access_key))
    message = (
        "User: arn:aws:iam::999999999999:user/eve is not authorized to perform: s3:ListBucket "
        'on resource: "arn:aws:s3:::own-bucket"'
    )
    with refused("AccessDenied", message):
        eve.client("s3").list_objects_v2(Bucket="own-bucket")


# --- what is not known


def test_a_deny_on_a_key_that_the_sandbox_does_not_compute_is_an_error(session: boto3.Session, audit: str) -> None:
    condition = {"StringEquals": {"lambda:VpcIds": "vpc-1"}}
    attach(session, audit, deny("lambda:CreateFunction", Condition=condition))
    client = assume(session, audit).client("lambda")
    role = f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"
    with pytest.raises(ClientError) as caught:
        client.create_function(FunctionName="f", Role=role, Runtime="python3.12", Handler="h", Code={"ZipFile": b"x"})
    assert not_implemented(caught) == (
        "the orgctl sandbox does not emulate lambda:POST /2015-03-31/functions: its authorization: "
        f"lambda:CreateFunction on arn:aws:lambda:us-east-1:{audit}:function:f hangs on lambda:VpcIds "
        f"(policy Guard {audit})"
    )


def test_such_an_error_has_the_shape_that_s3_has(session: boto3.Session, audit: str) -> None:
    condition = {"StringEquals": {"s3:object-lock-remaining-retention-days": "1"}}
    attach(session, audit, deny("s3:PutObject", Condition=condition))
    s3 = assume(session, audit).client("s3")
    s3.create_bucket(Bucket="own-bucket")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="own-bucket", Key="k", Body=b"")
    assert not_implemented(caught) == (
        "the orgctl sandbox does not emulate s3:PUT /k: its authorization: s3:PutObject on "
        f"arn:aws:s3:::own-bucket/k hangs on s3:object-lock-remaining-retention-days (policy Guard {audit})"
    )


def test_api_gateway_is_asked_by_method_and_path(session: boto3.Session, audit: str) -> None:
    arn = attach(session, audit, deny("apigateway:GET", Resource="arn:aws:apigateway:*::/restapis"))
    gateway = assume(session, audit).client("apigateway")
    message = (
        f"{who(audit)} apigateway:GET on resource: arn:aws:apigateway:us-east-1::/restapis "
        f"with an explicit deny in a service control policy: {arn}"
    )
    with refused("AccessDeniedException", message):
        gateway.get_rest_apis()
    gateway.create_rest_api(name="x")


def test_keys_that_an_action_does_not_have_are_absent(session: boto3.Session, audit: str) -> None:
    attach(session, audit, deny("iam:ListRoles", Condition={"StringEquals": {"lambda:VpcIds": "vpc-1"}}))
    assume(session, audit).client("iam").list_roles()


def test_keys_follow_from_parameters(session: boto3.Session, audit: str) -> None:
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    arn = attach(
        session, audit, deny("iam:AttachRolePolicy", Condition={"ArnEquals": {"iam:PolicyARN": administrator}})
    )
    member = assume(session, audit)
    make_role(member, "Target")
    iam = member.client("iam")
    iam.attach_role_policy(RoleName="Target", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    message = (
        f"{who(audit)} iam:AttachRolePolicy on resource: arn:aws:iam::{audit}:role/Target "
        f"with an explicit deny in a service control policy: {arn}"
    )
    with refused("AccessDenied", message):
        iam.attach_role_policy(RoleName="Target", PolicyArn=administrator)


def test_a_boundary_may_be_demanded(session: boto3.Session, audit: str) -> None:
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    attach(session, audit, deny("iam:CreateRole", Condition={"StringNotEquals": {"iam:PermissionsBoundary": boundary}}))
    member = assume(session, audit)
    with pytest.raises(ClientError):
        make_role(member, "Free")
    make_role(member, "Bounded", PermissionsBoundary=boundary)


def test_tags_of_requests_and_roles_are_seen(session: boto3.Session, audit: str) -> None:
    missing = deny("sqs:CreateQueue", Condition={"Null": {"aws:RequestTag/owner": "true"}})
    protected = deny("iam:DeleteRole", Condition={"StringEquals": {"aws:ResourceTag/protected": "yes"}})
    attach(session, audit, missing, protected)
    member = assume(session, audit)
    sqs, iam = member.client("sqs"), member.client("iam")
    with pytest.raises(ClientError):
        sqs.create_queue(QueueName="jobs")
    sqs.create_queue(QueueName="jobs", tags={"owner": "core"})
    make_role(member, "Free")
    make_role(member, "Kept", Tags=[{"Key": "protected", "Value": "yes"}])
    iam.delete_role(RoleName="Free")
    with pytest.raises(ClientError):
        iam.delete_role(RoleName="Kept")


def test_regions_are_governed(session: boto3.Session, audit: str) -> None:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    attach(session, audit, {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": elsewhere})
    member = assume(session, audit)
    member.client("sqs", region_name="us-east-1").list_queues()
    with pytest.raises(ClientError, match="sqs:listqueues"):
        member.client("sqs", region_name="eu-west-1").list_queues()


def test_asking_who_one_is_needs_no_permission(session: boto3.Session, audit: str) -> None:
    member = assume(session, audit)
    attach(session, audit, deny("*"))
    assert member.client("sts").get_caller_identity()["Account"] == audit
