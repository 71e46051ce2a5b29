"""Verdicts as AWS Config takes them.

Calls config:PutEvaluations. Config does not take INSUFFICIENT_DATA from a rule, and NOT_APPLICABLE would hide what
nobody looked at: what was not evaluated is NON_COMPLIANT, and the annotation says so.
https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from handlers.lineage.compliance.invocation import INSTANCE, Invocation
from handlers.lineage.compliance.verdicts import Result, Verdict, together
from handlers.lineage.model import Key, Kind, parts_of
from handlers.lineage.publish.asff import arn_of
from org.errors import OrgctlError
from org.gateway.errors import aws_errors

AT_ONCE = 100
"""Evaluations in one call."""
IMAGE = "AWS::EC2::Image"
"""No type that Config records; an evaluation may name any, since it is a text of up to 256 characters [H]."""
ACCOUNT = "AWS::::Account"
TEST = "TESTMODE"
"""The result token of a trial: it reaches Config and changes nothing."""
_LONGEST = 256

COMPLIANCE: Mapping[Result, str] = {
    Result.COMPLIANT: "COMPLIANT",
    Result.NON_COMPLIANT: "NON_COMPLIANT",
    Result.NOT_EVALUATED: "NON_COMPLIANT",
    Result.NOT_APPLICABLE: "NOT_APPLICABLE",
}


class Config(Protocol):
    """What of boto3's client of AWS Config is used."""

    def put_evaluations(self, *, Evaluations: Sequence[Any], ResultToken: str, TestMode: bool) -> Mapping[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/config/latest/APIReference/API_PutEvaluations.html."""


class NotPut(OrgctlError):
    """AWS Config did not take some of the evaluations; the others are there."""


class Evaluation(NamedTuple):
    """What one resource comes to."""

    type: str
    id: str
    result: Result
    says: str


def evaluation_of(key: Key, account: str, region: str, verdicts: Sequence[Verdict]) -> Evaluation:
    """Answer one evaluation for all rules that were asked for.

    An id of an image names it within a Region only: what lies in another Region than the rule goes by its ARN.
    """
    parts = parts_of(key)
    name = parts.name if parts.region == region else arn_of(key, account) or key
    result = together(verdicts)
    says = "; ".join(_says(each) for each in verdicts if each.result is result or each.result is Result.NOT_EVALUATED)
    return Evaluation(IMAGE if parts.kind is Kind.IMAGE else INSTANCE, name, result, says)


def _says(verdict: Verdict) -> str:
    unknown = "not evaluated: " if verdict.result is Result.NOT_EVALUATED else ""
    return f"{verdict.rule.value}: {unknown}{verdict.says}"


def put_evaluations(config: Config, asked: Invocation, told: Sequence[Evaluation]) -> None:
    """Tell Config, a hundred at a time. NotPut, once all were tried, if some were refused."""
    refused: list[str] = []
    for start in range(0, len(told), AT_ONCE):
        some = [_plain(each, asked.time) for each in told[start : start + AT_ONCE]]
        with aws_errors("config:PutEvaluations", asked.account):
            answer = config.put_evaluations(Evaluations=some, ResultToken=asked.token, TestMode=asked.token == TEST)
        refused += [str(each["ComplianceResourceId"]) for each in answer.get("FailedEvaluations", ())]
    if refused:
        where = f"config:PutEvaluations {asked.account}/{asked.region}"
        shown = ", ".join(refused[:5]) + (" …" if len(refused) > 5 else "")
        raise NotPut(
            where, f"{len(refused)} of {len(told)} evaluations were not taken: {shown}", "see why, and run again"
        )


def _plain(each: Evaluation, time: datetime) -> dict[str, object]:
    says = each.says if len(each.says) <= _LONGEST else each.says[: _LONGEST - 1] + "…"
    told: dict[str, object] = {
        "ComplianceResourceType": each.type,
        "ComplianceResourceId": each.id,
        "ComplianceType": COMPLIANCE[each.result],
        "OrderingTimestamp": time,
    }
    return told | ({"Annotation": says} if says else {})
