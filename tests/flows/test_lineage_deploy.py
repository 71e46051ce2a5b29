"""The lineage account is deployed as a whole, in the sandbox, and works from one end to the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cli.deploy.entry import enter
from cli.deploy.in_sandbox import graph_url
from cli.deploy.lineage import Deployed, Deployment, put_everywhere
from cli.deploy.place import Place, check_concurrency, check_delegation, find_place
from config.load import load_manifest
from handlers.lineage.sqlite import SqliteGraph
from org.errors import OrgctlError
from org.gateway.connection import Connection
from org.model import Region
from org.sandbox.server import Sandbox
from stacksets.desired import render_desired
from stacksets.functions import FUNCTIONS
from stacksets.lineage_stacks import lineage_stacks
from stacksets.templates.names import EVALUATIONS_ROLE, READER_ROLE
from tests.support.rollout import Rollout

MANIFEST = Path(__file__).parents[2] / "config" / "examples" / "minimal" / "organization.yaml"
HOME = Region("eu-central-1")


class Account:
    """The lineage account of the minimal example, with everything in it."""

    def __init__(self, sandbox: Sandbox, graph: Path) -> None:
        loaded = load_manifest(MANIFEST)
        desired, self.manifest = render_desired(loaded), loaded.manifest
        session = sandbox.session(HOME)
        Rollout(session).bootstrap(desired)
        self.connection = Connection(session, sandbox.endpoint, busy_delay=0.01)
        self.place: Place = find_place(self.connection, loaded.manifest, desired)
        self.graph = graph
        put_everywhere(self.connection, self.place, lambda _: None)
        deployment = self.deployment()
        self.foreseen = deployment.preview()
        self.deployed: Deployed = deployment.run()
        self.there = enter(self.connection, self.place.lineage, HOME)

    def deployment(self) -> Deployment:
        made = Deployment(self.connection, self.place, lambda _: None, graph_url=graph_url(self.graph))
        made.prepare()
        return made

    def client(self, service: str):
        return self.there.client(service, HOME)


@pytest.fixture(scope="module")
def account(tmp_path_factory) -> Iterator[Account]:
    sandbox = Sandbox()
    sandbox.start()
    try:
        yield Account(sandbox, tmp_path_factory.mktemp("lineage") / "graph.sqlite")
    finally:
        sandbox.stop()


def test_every_stack_is_made_in_its_order(account):
    names = [stack.stack_name for stack in lineage_stacks(account.manifest)]
    assert [each.name for each in account.deployed.stacks] == names
    assert all(each.changed for each in account.deployed.stacks)
    assert all(each.difference.is_new for each in account.foreseen)


def test_done_again_it_foresees_and_changes_nothing(account):
    again = account.deployment()
    assert [each.step.stack.name for each in again.preview() if not each.difference.is_nothing] == []
    assert not any(each.changed for each in again.run().stacks)


def test_every_function_is_there_but_the_one_for_a_chat_that_nobody_asked_for(account):
    found = {each["FunctionName"] for each in account.client("lambda").list_functions()["Functions"]}
    assert found == {row.name for row in FUNCTIONS} - {"orgctl-lineage-notify"}


def test_every_account_has_the_roles_that_the_lineage_account_enters_by(account):
    for id in (account.place.management, account.place.lineage):
        reached = account.connection if id == account.place.management else account.there
        names = {each["RoleName"] for each in reached.client("iam", HOME).list_roles()["Roles"]}
        assert {READER_ROLE, EVALUATIONS_ROLE} <= names


def test_config_asks_of_every_account_and_is_answered(account):
    rules = account.client("config").describe_organization_config_rules()["OrganizationConfigRules"]
    assert len(rules) == 6
    counted = account.connection.client("config", HOME).describe_config_rules()["ConfigRules"]
    assert len(counted) == 6


def test_security_hub_has_insights_and_actions(account):
    hub = account.client("securityhub")
    assert {each["Name"] for each in hub.describe_action_targets()["ActionTargets"]} == {
        "Approve AMI",
        "Quarantine AMI",
        "Analyze AMI Lineage",
    }
    assert len(hub.get_insights()["Insights"]) == 3


def test_functions_settings_fit_what_they_are_read_by(account):
    from handlers.lineage.settings import Settings

    settings = Settings.model_validate_json(account.place.settings)
    assert settings.organization == account.place.organization_id
    assert settings.external_id == "minimal-audit-4f1c"
    assert settings.compliance.approval.tag == "ec2:SharedTag/status"


def test_code_bucket_is_private_and_holds_the_code(account):
    s3 = account.client("s3")
    bucket = f"orgctl-code-{account.place.lineage}-{HOME}"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    (code,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert code["Key"].startswith("orgctl/")


def test_schedules_run_and_nothing_is_left_behind(account):
    """The plan asks for readings, each place is read, the ingest takes them, all is judged: each as its own role."""
    request = Request(f"{account.connection.endpoint_url}/orgctl-sandbox/schedules", data=b"{}", method="POST")
    with urlopen(request) as answer:
        assert answer.status == 200
    sqs = account.client("sqs")
    left = {}
    for url in sqs.list_queues()["QueueUrls"]:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        left[url.rpartition("/")[2]] = int(told["ApproximateNumberOfMessages"])
    assert len(left) >= 9
    assert {name: count for name, count in left.items() if count} == {}
    sources = {fact.evidence.source.value for fact in SqliteGraph(account.graph).export()}
    assert "describe" in sources


def test_stack_that_fails_is_told_with_what_failed(account):
    deployment = account.deployment()
    deployment._known["CodeKey"] = "orgctl/nobody-put-it-there.zip"
    with pytest.raises(OrgctlError) as caught:
        deployment.run()
    assert caught.value.where == "stack orgctl-lineage-ingest"
    assert re.match(r"ended as UPDATE_ROLLBACK_COMPLETE: .*Ingest\b", caught.value.what)


def test_value_that_cloudformation_does_not_take_is_told_with_the_stack(account):
    deployment = account.deployment()
    deployment._known["Settings"] = "{" + "x" * 5000
    with pytest.raises(OrgctlError, match=r"^stack orgctl-lineage-api in \d{12} eu-central-1: "):
        deployment.run()


def test_account_that_may_run_few_functions_is_told_before_anything_is_made():
    with pytest.raises(OrgctlError, match="may run 10 functions at once"):
        check_concurrency(10)
    check_concurrency(1000)


def test_lineage_account_that_administers_nothing_is_told():
    manifest = load_manifest(MANIFEST).manifest.model_copy(update={"delegated_administrators": ()})
    with pytest.raises(OrgctlError, match=r"config-multiaccountsetup\.amazonaws\.com"):
        check_delegation(manifest)


def test_events_queue_takes_nothing_from_others(account):
    policy = account.client("sqs").get_queue_attributes(
        QueueUrl=account.deployed.outputs["ReadingsQueueUrl"], AttributeNames=["Policy"]
    )["Attributes"]["Policy"]
    assert {each["Effect"] for each in json.loads(policy)["Statement"]} == {"Deny"}
