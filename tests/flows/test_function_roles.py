"""Each role allows the calls that its function makes in the sandbox, and none besides, as our evaluator decides."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from org.policy.authorize import Engine, Grants
from org.policy.catalog import Catalog
from org.policy.decision import Verdict
from org.policy.model import PolicyKind
from org.policy.parse import parse_policy
from org.policy.request import Request
from org.sandbox.authorization.ledger import Judged, judged
from org.sandbox.scenarios.stage import DEVELOPER
from org.sandbox.server import Sandbox
from stacksets.functions import FUNCTIONS
from stacksets.templates.names import EVALUATIONS_ROLE, READER_ROLE
from tests.support.lineage_stacks import listed
from tests.support.whole_run import HOME, WholeRun

SHARED = (READER_ROLE, EVALUATIONS_ROLE)
"""Those that are in every account."""
NAMES = (*(row.name for row in FUNCTIONS), *SHARED)
NOT_HERE: Mapping[str, str] = {
    "neptune-db:ReadDataViaQuery": "the sandbox's graph is a file, which no policy is asked for",
    "neptune-db:WriteDataViaQuery": "the same",
    "neptune-db:DeleteDataViaQuery": "the same",
    "logs:CreateLogStream": "Lambda writes logs itself, and the sandbox has none of functions",
    "logs:PutLogEvents": "the same",
    "xray:PutTelemetryRecords": "Lambda sends traces itself, and the sandbox has none",
    "xray:PutTraceSegments": "the same",
    "ec2:AssignPrivateIpAddresses": "Lambda's own work on interfaces, of which the sandbox does none; AWS lists these",
    "ec2:DescribeSubnets": "the same",
    "ec2:UnassignPrivateIpAddresses": "the same",
    "s3:ListBucket": "no call: S3 asks for it where an object is not there, to say so",
}
"""What a role needs and no call in the sandbox asks for."""
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ENGINE = Engine()
CATALOG = Catalog()


@dataclass(frozen=True)
class Held:
    """A role in an account: what it allows, and what was done as it."""

    document: Mapping[str, Any]
    calls: tuple[Judged, ...]

    def allows(self, request: Request, document: Mapping[str, Any] | None = None) -> bool:
        """Say whether the role's own policy does, whatever all others say."""
        policy = parse_policy(json.dumps(document or self.document), PolicyKind.IDENTITY, "needs")
        own = replace(request, resource_account="")
        return ENGINE.authorizer(Grants(identity=(policy,))).decide(own).verdict is Verdict.ALLOWED


class Done:
    """All of it, once it is done."""

    def __init__(self, run: WholeRun) -> None:
        self.run = run
        self.calls = judged()
        self.endpoints: dict[str, Mapping[str, Any]] = {
            each["ServiceName"].rpartition(".")[2]: json.loads(each["PolicyDocument"])
            for each in run.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        }

    def held(self, name: str) -> list[Held]:
        """Answer the role in each account where anything was done as it."""
        ending = name if name in SHARED else f"{name}-{HOME}"
        arns = {each.request.principal.arn for each in self.calls}
        found = sorted(arn for arn in arns if arn.endswith(f":role/{ending}"))
        return [self._held(arn, ending) for arn in found]

    def _held(self, arn: str, name: str) -> Held:
        iam = self._iam(arn.split(":")[4])
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["needs"]
        document = iam.get_role_policy(RoleName=name, PolicyName="needs")["PolicyDocument"]
        return Held(document, tuple(each for each in self.calls if each.request.principal.arn == arn))

    def _iam(self, account: str) -> Any:
        if account == self.run.place.management:
            return self.run.connection.client("iam", HOME)
        if account == self.run.place.lineage:
            return self.run.client("iam")
        names = {id: name for name, id in self.run.stage.accounts.items()}
        return self.run.stage.session(names[account]).client("iam")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    sandbox = Sandbox()
    sandbox.start()
    try:
        run = WholeRun(sandbox, tmp_path_factory.mktemp("lineage") / "graph.sqlite")
        run.do_everything()
        yield Done(run)
    finally:
        sandbox.stop()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_the_code_asks_for_is_denied(done: Done, name: str) -> None:
    held = done.held(name)
    assert held, "nothing was done as it"
    for each in held:
        assert [call for call in each.calls if call.verdict is not Verdict.ALLOWED] == []
        assert all(each.allows(call.request) for call in each.calls)


@pytest.mark.parametrize("name", NAMES)
def test_no_part_of_the_role_can_be_taken_away(done: Done, name: str) -> None:
    """Of each statement each action on each resource is what alone allows some call."""
    held = done.held(name)
    idle: set[str] = set()
    parts = list(_parts(held[0].document))
    assert len(parts) == len(set(parts)), "one part twice"
    for part in parts:
        without = [_without(each.document, part) for each in held]
        needed = any(
            not each.allows(call.request, document)
            for each, document in zip(held, without, strict=True)
            for call in each.calls
            if call.request.action.lower() == part[1].lower()
        )
        if not needed:
            idle.add(part[1])
    wanted = {action for _, action, _ in parts}
    assert idle == wanted & NOT_HERE.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_neighbour_is_beyond_the_role(done: Done, name: str) -> None:
    """Another queue, topic, prefix, bucket, key, role, account or Region, and another condition, is not allowed."""
    for each in done.held(name):
        keys = sorted({key for statement in _allows(each.document) for key in _keys_of(statement)})
        tried = 0
        for call in each.calls:
            for resource in _neighbours(call.request):
                tried += 1
                assert not each.allows(replace(call.request, resource=resource)), (call.request.action, resource)
            for key in keys:
                changed = replace(call.request, context=ChainMap({key.lower(): "neighbour"}, call.request.context))  # type: ignore[arg-type]
                if any(
                    _hangs_on(each, call, statement)
                    for statement in _allows(each.document)
                    if key in _keys_of(statement)
                ):
                    tried += 1
                    assert not each.allows(changed), (call.request.action, key)
        assert tried or name in SHARED


def test_everything_that_functions_in_the_network_ask_for_has_an_endpoint_whose_policy_lets_it_pass(done: Done) -> None:
    calls = list(_from_the_network(done))
    passed: set[str] = set()
    for call in calls:
        service = call.request.action.partition(":")[0]
        assert service in done.endpoints, call.request.action
        assert call.region == HOME, "endpoints lead to this Region alone"
        assert _passes(done, service, call.request), (call.request.action, call.request.resource)
        passed.add(service)
    # API Gateway's is for callers.
    assert passed == done.endpoints.keys() - {"execute-api"}


def test_no_endpoint_lets_strangers_pass(done: Done) -> None:
    for call in _from_the_network(done):
        service = call.request.action.partition(":")[0]
        stranger: Mapping[str, Any] = ChainMap({"aws:principalorgid": "o-stranger00"}, call.request.context)  # type: ignore[arg-type]
        assert not _passes(done, service, replace(call.request, context=stranger)), call.request.action
        if service != "config":
            theirs: Mapping[str, Any] = ChainMap({"aws:resourceorgid": "o-stranger00"}, call.request.context)  # type: ignore[arg-type]
            assert not _passes(done, service, replace(call.request, context=theirs)), call.request.action


def test_calls_are_told_to_whoever_asks_the_sandbox(done: Done) -> None:
    told = done.run.stage.control.calls()
    ours = [each for each in told if each["principal"].endswith(f"orgctl-lineage-ingest-{HOME}")]
    assert {(each["action"], each["by"]) for each in ours} >= {
        ("sqs:ReceiveMessage", "a service"),
        ("kms:Decrypt", "sqs.amazonaws.com"),
        ("s3:PutObject", "itself"),
    }
    assert all(each["verdict"] == "allowed" and each["count"] > 0 for each in ours)


def _from_the_network(done: Done) -> Iterator[Judged]:
    """What functions in the network sent, as themselves and as the role of another account that one of them assumes."""
    names = [row.name for row in FUNCTIONS if row.in_network]
    for name in (*names, EVALUATIONS_ROLE):
        for held in done.held(name):
            yield from (call for call in held.calls if call.signed)


def _passes(done: Done, service: str, request: Request) -> bool:
    policy = parse_policy(json.dumps(done.endpoints[service]), PolicyKind.RESOURCE, service)
    anything = parse_policy(json.dumps(EVERYTHING), PolicyKind.IDENTITY, "everything")
    own = replace(request, resource_account="")
    grants = Grants(identity=(anything,), endpoint=policy)
    return ENGINE.authorizer(grants).decide(own).verdict is Verdict.ALLOWED


Part = tuple[str, str, str]
"""The statement's Sid, an action, and a resource."""


def _allows(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in document["Statement"] if each["Effect"] == "Allow")


def _parts(document: Mapping[str, Any]) -> Iterator[Part]:
    for each in _allows(document):
        for action in listed(each["Action"]):
            for number in range(len(listed(each["Resource"]))):
                yield each["Sid"], action, str(number)


def _without(document: Mapping[str, Any], part: Part) -> Mapping[str, Any]:
    return {**document, "Statement": list(_statements_without(document, part))}


def _statements_without(document: Mapping[str, Any], part: Part) -> Iterator[Mapping[str, Any]]:
    sid, action, number = part
    for each in document["Statement"]:
        if each["Sid"] != sid:
            yield each
            continue
        actions, resources = listed(each["Action"]), listed(each["Resource"])
        others = [one for one in actions if one != action]
        rest = [one for at, one in enumerate(resources) if str(at) != number]
        if others:
            yield {**each, "Action": others}
        if rest:
            yield {**each, "Sid": f"{sid}Rest", "Action": action, "Resource": rest}
    # A policy has one statement at least.
    yield {"Sid": "Nothing", "Effect": "Deny", "Action": "none:Nothing", "Resource": "*"}


def _keys_of(statement: Mapping[str, Any]) -> set[str]:
    return {key for keys in statement.get("Condition", {}).values() for key in keys}


def _hangs_on(held: Held, call: Judged, statement: Mapping[str, Any]) -> bool:
    """Say whether it is this statement that allows the call."""
    return held.allows(call.request, {**held.document, "Statement": [statement]})


def _neighbours(request: Request) -> Iterator[str]:
    """Answer what is beside the resource; an action of which AWS defines no resource has nothing beside it."""
    if request.resource == "*":
        entry = CATALOG.find_action(request.action)
        assert entry is not None
        assert not entry.resources or request.action in _ON_ALL
        return
    head, partition, service, region, account, name = request.resource.split(":", 5)
    changes: list[Callable[[], tuple[str, str, str]]] = []
    if service == "ec2" and "/" in name and request.action in _OF_LAMBDA:
        return
    if service == "s3":
        bucket, _, key = name.partition("/")
        changes.append(lambda: (region, account, f"{bucket}-neighbour" + (f"/{key}" if key else "")))
        if key:
            changes.append(lambda: (region, account, f"{bucket}/neighbour/{key}"))
    elif name.startswith("image/"):
        changes.append(lambda: (region, account, name.replace("image/", "snapshot/")))
    elif name.startswith("image-usage-report/"):
        changes.append(lambda: (region, "999988887777", name))
    elif service == "iam":
        changes.append(lambda: (region, account, f"{name}-neighbour"))
    else:
        changes.append(lambda: (region, account, f"{name}-neighbour"))
        changes.append(lambda: (region, "999988887777", name))
        changes.append(lambda: ("us-west-2", account, name))
    for change in changes:
        yield ":".join((head, partition, service, *change()))


_OF_LAMBDA = frozenset({"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"})
"""Allowed on all, with the reason beside it in the template."""
_ON_ALL = frozenset({"ec2:DescribeNetworkInterfaces"})


def test_who_may_do_anything_in_the_lineage_account_is_not_believed_for_that(done: Done) -> None:
    """A guardrail of the company refuses it, and so would the queues and the archive themselves without one."""
    run, outputs = done.run, done.run.deployed.outputs
    power, bucket = run.stage.session("AMI Lineage", DEVELOPER), outputs["ArchiveBucket"]
    sqs, s3 = power.client("sqs"), power.client("s3")
    kept = run.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"][0]["Key"]
    of_bucket = run.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    attempts: list[tuple[str, Callable[[], object]]] = [
        (of_bucket, lambda: s3.put_object(Bucket=bucket, Key="readings/forged.json", Body=b"{}")),
        (of_bucket, lambda: s3.put_object(Bucket=bucket, Key="events/forged.json", Body=b"{}")),
        (of_bucket, lambda: s3.delete_object(Bucket=bucket, Key=kept)),
    ]
    for url in (outputs["QueueUrl"], outputs["ReadingsQueueUrl"]):
        found = run.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        send = partial(sqs.send_message, QueueUrl=url, MessageBody="{}")
        attempts.append((found["Attributes"]["Policy"], send))
    for policy, attempt in attempts:
        with pytest.raises(ClientError, match="explicit deny"):
            attempt()
        tried = judged()[-1]
        assert tried.verdict is Verdict.DENIED
        assert tried.request.principal.arn.endswith(f":role/{DEVELOPER}")
        anything = parse_policy(json.dumps(EVERYTHING), PolicyKind.IDENTITY, "everything")
        alone = Grants(identity=(anything,), resource=parse_policy(policy, PolicyKind.RESOURCE, "own"))
        assert ENGINE.authorizer(alone).decide(tried.request).verdict is Verdict.DENIED


def test_nobody_but_one_function_enters_an_account(done: Done) -> None:
    """Not with the external id, which is no secret, and not as another function of the lineage account."""
    run = done.run
    external = json.loads(run.place.settings)["external_id"]
    victim = run.stage.accounts["Shop"]
    for session in (run.stage.session("AMI Lineage", DEVELOPER), run.stage.session("Pipelines")):
        for role in SHARED:
            with pytest.raises(ClientError, match="AccessDenied"):
                session.client("sts").assume_role(
                    RoleArn=f"arn:aws:iam::{victim}:role/{role}", RoleSessionName="me", ExternalId=external
                )


def test_a_member_account_reaches_nothing_of_the_lineage_account_but_its_bus_and_api(done: Done) -> None:
    run = done.run
    member, outputs = run.stage.session("Pipelines"), run.deployed.outputs
    attempts: list[Callable[[], object]] = [
        lambda: member.client("sqs").send_message(QueueUrl=outputs["ReadingsQueueUrl"], MessageBody="{}"),
        lambda: member.client("sqs").receive_message(QueueUrl=outputs["QueueUrl"]),
        lambda: member.client("sns").publish(TopicArn=outputs["AlertTopicArn"], Message="forged"),
        lambda: member.client("s3").list_objects_v2(Bucket=outputs["ArchiveBucket"]),
        lambda: member.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="readings/forged.json", Body=b"{}"),
        lambda: member.client("lambda").invoke(FunctionName=outputs["AssessFunctionArn"], Payload=b"{}"),
        lambda: member.client("secretsmanager").get_secret_value(SecretId=outputs["WebhookSecretArn"]),
        lambda: member.client("kms").encrypt(KeyId=outputs["EventsKeyArn"], Plaintext=b"x"),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
            attempt()
