"""Rules with a schedule, which run when somebody asks: the sandbox has no clock.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from moto.events.models import events_backends

from org.sandbox import event_buses

if TYPE_CHECKING:
    from moto.events.models import Rule


def run_schedules(name: str = "") -> list[dict[str, Any]]:
    """Bring a scheduled event to the targets of all enabled rules with a schedule, or of those of one name or ARN.

    Answers `[{"rule": arn, "schedule": "rate(1 day)", "event": id}, …]`; raises LookupError where a rule is named and
    there is none such, or it is disabled.
    """
    rules = [rule for rule in _scheduled() if name in ("", rule.name, rule.arn)]
    if name and not rules:
        raise LookupError(f"there is no enabled rule {name} with a schedule")
    return [_run(rule) for rule in rules]


def _run(rule: Rule) -> dict[str, Any]:
    event = event_buses.envelope(
        source="aws.events",
        detail_type="Scheduled Event",
        account=rule.account_id,
        region=rule.region_name,
        detail={},
        resources=[rule.arn],
    )
    event_buses.bring(event, rule)
    return {"rule": rule.arn, "schedule": rule.scheduled_expression, "event": event["id"]}


def _scheduled() -> Iterator[Rule]:
    for _, regions in sorted(events_backends.items()):
        for _, backend in sorted(regions.items()):
            for bus in list(backend.event_buses.values()):
                yield from (
                    rule for rule in bus.rules.values() if rule.scheduled_expression and rule.state == "ENABLED"
                )
