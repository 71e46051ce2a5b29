"""The function on a schedule that asks for a reading of every account in every governed Region.

Calls ListAccounts (the lineage account is a delegated administrator), and sends: to the reconciliation queue a message
for each place, to the readings' queue which places there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.lineage.model import Place, Time
from handlers.lineage.readings.form import PLACES, write_reading
from handlers.lineage.settings import read_settings, setting
from handlers.reconcile import READINGS, now, sender
from org.errors import OrgctlError
from org.gateway.errors import aws_errors
from org.ids import AccountId, Region

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "lineage-reconcile-plan"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

QUEUE = "ORGCTL_RECONCILE_QUEUE"
_DAY = 86_400_000
_PLACES_AT_ONCE = 1_000
_SENT_AT_ONCE = 10

SendAll = Callable[[Sequence[str]], None]
"""Sends texts to the reconciliation queue."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - any schedule will do
    """Answer how many places are asked for."""
    settings = read_settings()
    # The function's own ARN: arn:aws:lambda:<Region>:<account>:function:<name>.
    _, _, _, region, account, *_ = context.invoked_function_arn.split(":")
    asked = plan(
        _list_accounts(),
        [Region(each) for each in settings.regions],
        settings.organization,
        Place(AccountId(account), Region(region)),
        _sender(setting(QUEUE)),
        sender(setting(READINGS)),
        now(),
    )
    metrics.add_metric("places_asked", MetricUnit.Count, asked)
    return {"places": asked}


def plan(
    accounts: Iterable[Mapping[str, Any]],
    regions: Sequence[Region],
    organization: str,
    own: Place,
    ask: SendAll,
    tell: Callable[[str], None],
    now: Time,
) -> int:
    """Ask for each open account in each governed Region, and tell of all accounts; answers how many were asked for.

    `accounts`: as ListAccounts answers them. What is told has the time of the day's beginning, so that it is told once
    a day: the same text again adds nothing.
    """
    places = [
        {"account": str(each["Id"]), "region": str(region), "member": True, "expected": _is_open(each)}
        for each in sorted(accounts, key=lambda each: str(each["Id"]))
        for region in regions
    ]
    today = Time(now - now % _DAY)
    for start in range(0, len(places), _PLACES_AT_ONCE):
        some = places[start : start + _PLACES_AT_ONCE]
        tell(write_reading(own, today, {"organization": organization, "places": some}, PLACES))
    asked = [json.dumps({name: each[name] for name in ("account", "region")}) for each in places if each["expected"]]
    for start in range(0, len(asked), _SENT_AT_ONCE):
        ask(asked[start : start + _SENT_AT_ONCE])
    return len(asked)


def _is_open(account: Mapping[str, Any]) -> bool:
    # `Status` is what `State` was before: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    return (account.get("State") or account.get("Status")) == "ACTIVE"


def _list_accounts() -> list[Mapping[str, Any]]:
    import boto3

    with aws_errors("organizations:ListAccounts"):
        pages = boto3.client("organizations").get_paginator("list_accounts").paginate()
        return [account for page in pages for account in page["Accounts"]]


def _sender(queue: str) -> SendAll:
    import boto3

    sqs = boto3.client("sqs")

    def send(bodies: Sequence[str]) -> None:
        with aws_errors("sqs:SendMessageBatch", queue):
            answer = sqs.send_message_batch(
                QueueUrl=queue,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
            )
        if failed := answer.get("Failed"):
            raise OrgctlError(
                "sqs:SendMessageBatch", f"{len(failed)} messages were refused: {failed[0].get('Code')}", "run it again"
            )

    return send
