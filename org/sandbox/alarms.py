"""CloudWatch alarms that change their state tell the topics that are their actions.

Nothing evaluates metrics: an alarm changes its state by SetAlarmState. Other actions than topics are not emulated.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend

from org.sandbox.authorization.denial import Denied
from org.sandbox.deliveries import Sender, Undelivered
from org.sandbox.topic_messages import Message
from org.sandbox.topics import publish

_log = logging.getLogger(__name__)

_SERVICE = "cloudwatch.amazonaws.com"
_ACTIONS = {"ALARM": "alarm_actions", "INSUFFICIENT_DATA": "insufficient_data_actions", "OK": "ok_actions"}
_NAMES = {"us-east-1": "US East (N. Virginia)", "eu-central-1": "EU (Frankfurt)", "eu-west-1": "EU (Ireland)"}
"""Of some Regions, as the message has them [H]; of others it has the code here."""

_set_state = CloudWatchBackend.set_alarm_state


def _set_and_tell(backend: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
    """Set the state; where it is another than before, and the alarm's actions are enabled, send what is to be sent."""
    alarm = backend.alarms.get(alarm_name)
    before = alarm.state_value if alarm else ""
    actions = list(getattr(alarm, _ACTIONS[state_value])) if alarm and state_value in _ACTIONS else []
    told = actions if alarm and alarm.actions_enabled and before != state_value else []
    others = [action for action in told if ":sns:" not in action]
    if others:
        raise NotImplementedError(f"the alarm's action {others[0]}")
    _set_state(backend, alarm_name, reason, reason_data, state_value)
    for topic in told:
        assert alarm is not None, "it has actions"
        message = Message(_text(alarm, backend.account_id, before), f'{state_value}: "{alarm.name}" in {_place(alarm)}')
        try:
            publish(topic, message, _sender(alarm, backend.account_id))
        except (Denied, Undelivered) as error:
            # As in AWS, where the alarm's history has it.
            _log.warning("%s did not reach %s: %s", alarm.name, topic, error)


def _sender(alarm: Alarm, account: str) -> Sender:
    """Answer who CloudWatch is to a topic: the default policy of one's own admits it, by `aws:SourceOwner` [H]."""
    by = Sender.service(_SERVICE, alarm.alarm_arn, account)
    return replace(by, source={**by.source, "aws:SourceOwner": account})


def _place(alarm: Alarm) -> str:
    return _NAMES.get(alarm.region_name, alarm.region_name)


def _text(alarm: Alarm, account: str, before: str) -> str:
    """Answer the message; [H]: the members, which AWS does not document, are those of messages shown in public."""
    trigger: dict[str, Any] = {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": (alarm.statistic or "").upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": each.value, "name": each.name} for each in alarm.dimensions],
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
    }
    return json.dumps(
        {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": account,
            "AlarmConfigurationUpdatedTimestamp": _moment(alarm.configuration_updated_timestamp),
            "NewStateValue": alarm.state_value,
            "NewStateReason": alarm.state_reason,
            "StateChangeTime": _moment(alarm.state_updated_timestamp),
            "Region": _place(alarm),
            "AlarmArn": alarm.alarm_arn,
            "OldStateValue": before,
            "OKActions": alarm.ok_actions,
            "AlarmActions": alarm.alarm_actions,
            "InsufficientDataActions": alarm.insufficient_data_actions,
            "Trigger": {name: value for name, value in trigger.items() if value is not None},
        }
    )


def _moment(time: Any) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}+0000"


def install() -> None:
    CloudWatchBackend.set_alarm_state = _set_and_tell  # type: ignore[assignment,method-assign]
