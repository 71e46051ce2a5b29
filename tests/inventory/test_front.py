"""The deployed API's front: who and what is refused, and what hostile texts come to."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials

from stacksets.templates.lineage_api import ACCESS_LOG
from stacksets.templates.names import API_FUNCTION
from tests.support.api import ApiAnswer
from tests.support.deployed import MAY_ASK, Company, make_user
from tests.support.hostile import CORPUS, LEAKS

pytestmark = pytest.mark.xdist_group("company")


@pytest.fixture
def path(company: Company) -> str:
    return f"/ami/{company.ids['golden']}/lineage"


def refusal(answer: ApiAnswer) -> tuple[int, str, str]:
    """Status, AWS's name of the error, and what is said; nothing else is."""
    assert sorted(answer.said) == ["correlation_id", "error"]
    return answer.status, answer.headers["x-amzn-errortype"], answer.said["error"]


def test_who_asks_as_he_should_is_answered(company: Company, path: str) -> None:
    assert company.ask(path).status == 200


def test_a_request_without_credentials_is_refused(company: Company, path: str) -> None:
    said = refusal(company.ask(path, signed=False))
    assert said == (403, "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_a_wrong_secret_is_refused(company: Company, path: str) -> None:
    wrong = Credentials(company.asker.access_key, "x" * 40)
    status, kind, said = refusal(company.ask(path, credentials=wrong))
    assert (status, kind) == (403, "InvalidSignatureException")
    assert said.startswith("The request signature we calculated does not match")
    status, kind, _ = refusal(company.ask(path, credentials=Credentials("AKIAAAAAAAAAAAAAAAAA", "x" * 40)))
    assert (status, kind) == (403, "UnrecognizedClientException")


def test_a_principal_that_may_not_invoke_the_api_is_refused(company: Company, path: str) -> None:
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    nobody = make_user(company.stage.session("Search"), other, name="nobody")
    status, kind, said = refusal(company.ask(path, credentials=nobody))
    assert (status, kind) == (403, "AccessDeniedException")
    assert "is not authorized to perform: execute-api:Invoke" in said


def test_a_principal_that_a_policy_of_the_organization_denies_is_refused(company: Company, path: str) -> None:
    """The account is quarantined."""
    name = next(each.name for each in company.place.manifest.accounts if each.state == "quarantined")
    quarantined = make_user(company.stage.session(name), MAY_ASK)
    status, kind, said = refusal(company.ask(path, credentials=quarantined))
    assert (status, kind) == (403, "AccessDeniedException")
    assert "explicit deny" in said


def test_requests_over_the_rate_are_refused_and_later_ones_are_not(company: Company, path: str) -> None:
    with company.clock.standing():
        answers = [company.ask(path) for _ in range(101)]
    assert {each.status for each in answers[:100]} == {200}
    assert refusal(answers[100]) == (429, "TooManyRequestsException", "Too Many Requests")
    company.clock.turn(5)
    assert company.ask(path).status == 200


def test_bodies_over_the_size_are_refused(company: Company) -> None:
    body = '{"filters": {}}'
    assert company.ask("/ami/search", body + " " * 8_000).status == 200
    assert refusal(company.ask("/ami/search", body + " " * 8_192))[:2] == (403, "ForbiddenException")
    assert company.ask("/ami/search", body + " " * 10_500_000).status in (403, 413)


def asked(company: Company, text: str) -> list[ApiAnswer]:
    """Ask with the text in every kind of place."""
    company.clock.turn(1)
    golden, coded = company.ids["golden"], quote(text.encode("utf-8", "surrogatepass"), safe="")
    gets = (
        f"/ami/{coded}/lineage",
        f"/ami/{golden}/lineage?direction={coded}",
        f"/ami/{golden}/security-context?at={coded}",
        f"/lineage/show?id={coded}",
        f"/lineage/search?kind=image&name_contains={coded}",
        f"/lineage/search?kind=image&cursor={coded}",
        f"/lineage/show?id={golden}&{coded}={coded}",
    )
    posts = (
        ("/ami/search", {"filters": {"name_contains": text}}),
        ("/ami/search", {"filters": {text: text}}),
        ("/security-impact", {"ami_id": golden, "finding_id": text, "severity": text}),
        ("/security-impact", {"ami_id": golden, "finding_type": text}),
        ("/compliance-assessment", {"rules": [text]}),
    )
    answers = [company.ask(path) for path in gets] + [company.ask(path, body) for path, body in posts]
    answers.append(company.ask("/ami/search", text.encode("utf-8", "replace").decode()))
    if text.isprintable() and text.isascii():  # HTTP has no others in a header
        said = dict.fromkeys(("X-Correlation-Id", "X-Amzn-Trace-Id", "User-Agent", "Referer"), text)
        answers.append(company.ask(f"/ami/{golden}/lineage", headers=said))
    return answers


def test_hostile_texts_change_nothing_leak_nothing_and_break_no_line_of_a_log(
    company: Company, capfd: pytest.CaptureFixture[str]
) -> None:
    digest, findings = company.digest(), {each["Id"] for each in company.findings()}
    company.start_anew(API_FUNCTION)
    capfd.readouterr()
    reached = 0
    for text in CORPUS:
        for number, answer in enumerate(asked(company, text)):
            told = f"{number}: {text[:80]!r}: {answer}"
            assert answer.status < 500, told
            words = answer.body.decode()
            assert not [leak for leak in LEAKS if leak in words and leak not in text], told
            assert not any(ord(each) < 32 for value in answer.headers.values() for each in value), told
            reached += "x-correlation-id" in answer.headers
    assert reached > 5 * len(CORPUS), "what the firewall stops says nothing of the function"
    assert company.digest() == digest
    new = {each["Id"] for each in company.findings()} - findings
    assert all(company.ids["golden"] in each and not set(each) & set("\n\r\x1b<>'\"${}") for each in new), new
    log = capfd.readouterr().err
    lines = [line for line in log.split("\n") if '"service": "lineage-api"' in line]
    assert len(lines) >= reached
    assert not [line for line in lines if not line.isprintable() or not line.isascii()]
    assert all(json.loads(line) for line in lines)
    assert not [line for line in log.split("\n") if line.startswith("ERROR forged")]


def test_the_access_log_has_nothing_of_it_either(company: Company) -> None:
    logs = company.client("logs")
    for stream in logs.describe_log_streams(logGroupName=ACCESS_LOG)["logStreams"]:
        name = stream["logStreamName"]
        for each in logs.get_log_events(logGroupName=ACCESS_LOG, logStreamName=name)["events"]:
            assert each["message"].isprintable()
            assert set(json.loads(each["message"])) >= {"caller", "status", "refusal"}


def test_too_many_requests_of_one_address_are_blocked(company: Company, path: str) -> None:
    """Last: it changes the stack, since three thousand requests take a while."""
    cloudformation, name = company.client("cloudformation"), "orgctl-lineage-api"
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    given = [{"ParameterKey": each["ParameterKey"], "UsePreviousValue": True} for each in stack["Parameters"]]
    wanted = [each for each in given if each["ParameterKey"] != "RequestsPerAddress"]
    cloudformation.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=[*wanted, {"ParameterKey": "RequestsPerAddress", "ParameterValue": "20"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    there = {"x-orgctl-sandbox-source-ip": "192.0.2.7"}
    statuses = [company.ask(path, headers=there).status for _ in range(21)]
    assert statuses == [200] * 20 + [403]
    assert company.ask(path, headers={"x-orgctl-sandbox-source-ip": "192.0.2.8"}).status == 200
