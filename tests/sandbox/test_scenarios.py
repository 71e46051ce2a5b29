"""Stories of images where nothing is governed: what they say, and that they are the same each time."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from cli.play import make_stage
from org.errors import OrgctlError
from org.model import Region
from org.sandbox.scenarios.catalog import LIFE, SCENARIOS, check_name, play
from org.sandbox.scenarios.control import Control
from org.sandbox.scenarios.stage import Cast, Stage
from org.sandbox.server import Sandbox
from tests.support.cloud import HOME
from tests.support.sandbox import create_account

ABROAD = Region("eu-west-1")
MADE_ANEW = {
    "golden": {"golden", "golden copy", "build instance"},
    "share": {"copy of pipelines"},
    "launch": {"shop instance", "template instance", "parameter instance"},
    "derive": {"derived"},
    "launder": {"laundered", "laundered copy"},
    "tamper": {"self-approved", "swapped instance"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def empty(server: Sandbox, *names: str) -> Stage:
    """Begin anew with accounts of these names."""
    request = urllib.request.Request(f"{server.endpoint}/orgctl-sandbox/reset", method="POST")
    urllib.request.urlopen(request).close()
    organizations = server.session(HOME).client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for name in names:
        create_account(organizations, name)
    return make_stage(server.endpoint, Region(HOME), ABROAD)


def test_the_same_sandbox_tells_the_same_life_again(server: Sandbox) -> None:
    first = play(LIFE, empty(server, *Cast().names))
    stage = empty(server, *Cast().names)
    server.session(HOME).client("sns").create_topic(Name="done-before")
    assert play(LIFE, stage) == first
    assert len(set(first.ids.values())) > 15


def test_what_no_guardrail_forbids_is_said_to_have_been_done(server: Sandbox) -> None:
    told = play("launder", empty(server, *Cast().names)).sentences
    assert any(sentence.endswith("and nothing kept him from it") for sentence in told)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_plays_alone_and_twice(server: Sandbox, name: str) -> None:
    stage = empty(server, *Cast().names)
    one, two = play(name, stage), play(name, stage)
    assert one.sentences
    assert two.sentences
    new = {part for part, id in two.ids.items() if one.ids.get(part) != id}
    assert MADE_ANEW.get(name, set()) <= new


def test_an_organization_without_the_accounts_is_told_so(server: Sandbox) -> None:
    stage = empty(server, "Image Factory", "Shop")
    with pytest.raises(OrgctlError, match="the organization in the sandbox has no account Search, Pipelines"):
        play("golden", stage)


def test_a_scenario_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(OrgctlError, match="scenario party: there is none of that name; choose among golden, share"):
        check_name("party")


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        '{"account": "111122223333", "region": "eu-central-1"}',
        '{"account": "111122223333", "region": "eu-central-1", "events": [{"id": "1"}]}',
        '{"account": "111122223333", "region": "eu-central-1", "events": [1]}',
    ],
)
def test_events_that_are_none_are_refused(server: Sandbox, body: str) -> None:
    request = urllib.request.Request(f"{server.endpoint}/orgctl-sandbox/events", data=body.encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    caught.value.close()


def test_a_sandbox_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(OrgctlError, match="does not answer"):
        Control("http://127.0.0.1:9").events()
