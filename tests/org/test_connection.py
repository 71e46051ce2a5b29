"""How calls are repeated: by botocore, in its adaptive mode, and also where AWS only asks for patience."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from org.gateway.connection import Connection
from org.sandbox.session import isolated_session


class Answers:
    """Stands where the network would be: gives one prepared answer a call, the last for ever."""

    def __init__(self, *answers: tuple[int, Mapping[str, Any]]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, **_: object) -> AWSResponse:
        status, body = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return Answer(status, json.dumps(body).encode())


class Answer(AWSResponse):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("https://organizations.us-east-1.amazonaws.com/", status, {}, None)
        self._content = body


def client(answers: Answers, service: str = "organizations") -> Any:
    made = Connection(isolated_session(), busy_delay=0.0).client(service, "us-east-1")
    made.meta.events.register(f"before-send.{service}", answers)
    return made


def refusal(code: str, reason: str = "") -> tuple[int, Mapping[str, Any]]:
    return 400, {"__type": code, "Message": "no", **({"Reason": reason} if reason else {})}


GRANTED = (200, {"CreateAccountStatus": {"Id": "car-1", "State": "IN_PROGRESS"}})


def test_retries_are_botocores_in_adaptive_mode() -> None:
    config = client(Answers(GRANTED)).meta.config
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 11}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ConcurrentModificationException", ""),
        ("PolicyChangesInProgressException", ""),
        ("ConstraintViolationException", "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"),
        ("ConstraintViolationException", "ACCOUNT_CREATION_NOT_COMPLETE"),
        ("ConstraintViolationException", "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"),
    ],
)
def test_call_that_is_refused_because_of_another_is_repeated(code: str, reason: str) -> None:
    answers = Answers(refusal(code, reason), refusal(code, reason), GRANTED)
    client(answers).create_account(Email="a@example.com", AccountName="A")
    assert answers.asked == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ConstraintViolationException", "ACCOUNT_NUMBER_LIMIT_EXCEEDED"),
        ("ConstraintViolationException", "CLOSE_ACCOUNT_QUOTA_EXCEEDED"),
        ("AccessDeniedException", ""),
    ],
)
def test_call_that_is_refused_for_good_is_made_once(code: str, reason: str) -> None:
    answers = Answers(refusal(code, reason))
    with pytest.raises(ClientError):
        client(answers).create_account(Email="a@example.com", AccountName="A")
    assert answers.asked == 1


def test_patience_has_an_end() -> None:
    answers = Answers(refusal("ConcurrentModificationException"))
    with pytest.raises(ClientError):
        client(answers).create_account(Email="a@example.com", AccountName="A")
    assert answers.asked == 13
