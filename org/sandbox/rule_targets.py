"""What the sandbox takes of a rule's targets and schedule; what it does not, it refuses when the rule is made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.events.exceptions import ValidationException

_SERVICES = ("events", "lambda", "logs", "sns", "sqs")
_KEYS = frozenset({"Arn", "DeadLetterConfig", "Id", "Input", "RetryPolicy", "RoleArn"})
"""A RetryPolicy is of no consequence: what is refused here is refused for good, and AWS does not try that again."""

_RATE = re.compile(r"rate\((?P<value>[1-9]\d*) (?P<unit>minutes?|hours?|days?)\)")
_CRON = re.compile(r"cron\((?P<fields>\S+( \S+){5})\)")
_NUMBER = r"\d{1,4}"
_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
_ANY_DAY = "?"
# Of each field: the names that it has besides numbers, its range, and what stands for itself.
_FIELDS = (
    ("", 0, 59, ""),
    ("", 0, 23, ""),
    ("", 1, 31, r"\?|L|\d{1,2}W|LW"),
    (_MONTHS, 1, 12, ""),
    (_DAYS, 1, 7, r"\?|L|[1-7]L|[1-7]#[1-5]"),
    ("", 1970, 2199, ""),
)


def check_target(target: Mapping[str, Any]) -> None:
    """Raise NotImplementedError for what an event could not be brought to, or not in the way that is asked for."""
    parts = str(target["Arn"]).split(":", 5)
    if len(parts) < 6 or parts[2] not in _SERVICES or not parts[5]:
        raise NotImplementedError(f"the target {target['Arn']} of a rule: only {', '.join(_SERVICES)}")
    unknown = sorted(set(target) - _KEYS)
    if unknown:
        raise NotImplementedError(f"{', '.join(unknown)} of a rule's target ({target['Id']})")
    if target.get("RoleArn") and parts[2] != "events":
        raise NotImplementedError(f"the role of a target of {parts[2]} ({target['Id']})")
    if parts[2] == "lambda" and parts[5].count(":") > 1:
        raise NotImplementedError(f"versions and aliases of functions ({target['Arn']})")
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise ValidationException(f"Invalid Input for target {target['Id']}.") from error


def check_schedule(expression: str) -> None:
    """Raise ValidationException unless AWS would take it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    if not (_is_rate(expression) or _is_cron(expression)):
        raise ValidationException("Parameter ScheduleExpression is not valid.")


def _is_rate(expression: str) -> bool:
    found = _RATE.fullmatch(expression)
    return found is not None and (found["value"] == "1") != found["unit"].endswith("s")


def _is_cron(expression: str) -> bool:
    found = _CRON.fullmatch(expression)
    if found is None:
        return False
    fields = found["fields"].split(" ")
    one_of_the_days = (fields[2] == _ANY_DAY) != (fields[4] == _ANY_DAY)
    return one_of_the_days and all(_is_field(text, *form) for text, form in zip(fields, _FIELDS, strict=True))


def _is_field(text: str, names: str, least: int, most: int, special: str) -> bool:
    if text == "*" or (special and re.fullmatch(special, text)):
        return True
    one = f"(?:{_NUMBER}|{names})" if names else _NUMBER
    item = rf"(?:\*|{one}(?:-{one})?)(?:/\d{{1,4}})?"
    if not re.fullmatch(rf"{item}(?:,{item})*", text):
        return False
    steps = re.sub(r"/\d+", "", text)
    return all(least <= int(number) <= most for number in re.findall(r"\d+", steps))
