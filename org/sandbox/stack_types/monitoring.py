"""AWS::CloudWatch::Alarm and Dashboard, and AWS::Logs::MetricFilter.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from org.sandbox.own_calls import CallRefused
from org.sandbox.stack_types.by_calls import CallType, Here, Step, Value, own_id, own_name, prop, same
from org.sandbox.stack_types.interface import ResourceRefused, Shape

_OF_ALARM = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
)
_TRANSFORMATION = {
    "DefaultValue": "defaultValue",
    "MetricName": "metricName",
    "MetricNamespace": "metricNamespace",
    "MetricValue": "metricValue",
    "Unit": "unit",
}


def _arn(here: Here) -> str:
    return here.arn("cloudwatch", f"alarm:{here.id}")


def _write_tags(here: Here, tags: Mapping[str, str], removed: Sequence[str]) -> None:
    if tags:
        rows = [{"Key": key, "Value": value} for key, value in tags.items()]
        here.call("TagResource", ResourceARN=_arn(here), Tags=rows)
    if removed:
        here.call("UntagResource", ResourceARN=_arn(here), TagKeys=removed)


def _rewrite_alarm(here: Here) -> None:
    """Write it anew; what it is in stays, which moto forgets."""
    alarms = cloudwatch_backends[here.wanted.account_id][here.wanted.region].alarms
    before = alarms[here.id]
    _put_alarm(own_id).take(here)
    for name in ("history", "state_reason", "state_reason_data", "state_updated_timestamp", "state_value"):
        setattr(alarms[here.id], name, getattr(before, name))


def _put_alarm(name: Value) -> Step:
    return Step("PutMetricAlarm", {"AlarmName": name, **same(*_OF_ALARM)})


ALARM = CallType(
    Shape(
        "AWS::CloudWatch::Alarm",
        properties=frozenset({*_OF_ALARM, "AlarmName", "Tags"}),
        attributes=frozenset({"Arn"}),
        name_property="AlarmName",
    ),
    "cloudwatch",
    create=_put_alarm(own_name),
    made=own_name,
    update=(_rewrite_alarm,),
    remove=Step("DeleteAlarms", {"AlarmNames": lambda here: [here.id]}),
    read=Step("DescribeAlarms", {"AlarmNames": lambda here: [here.id]}),
    attributes={"Arn": _arn},
    tags=_write_tags,
    taken=lambda _, answer: bool(answer["MetricAlarms"]),
)


def _dashboard(name: Value) -> Step:
    return Step("PutDashboard", {"DashboardName": name, **same("DashboardBody")})


DASHBOARD = CallType(
    Shape(
        "AWS::CloudWatch::Dashboard",
        properties=frozenset({"DashboardBody", "DashboardName"}),
        name_property="DashboardName",
    ),
    "cloudwatch",
    create=_dashboard(own_name),
    made=own_name,
    update=(_dashboard(own_id),),
    remove=Step("DeleteDashboards", {"DashboardNames": lambda here: [here.id]}),
    read=Step("ListDashboards", {"DashboardNamePrefix": own_id}),
    taken=lambda here, answer: any(each["DashboardName"] == here.id for each in answer["DashboardEntries"]),
)


def _transformations(here: Here) -> Any:
    rows = []
    for given in here.get("MetricTransformations"):
        unknown = sorted(set(given) - set(_TRANSFORMATION))
        if unknown:
            what = f"{', '.join(unknown)} of a metric transformation"
            raise ResourceRefused(f"the orgctl sandbox does not emulate {what}")
        rows.append({_TRANSFORMATION[name]: value for name, value in given.items()})
    return rows


def _filter(name: Value) -> Step:
    return Step(
        "PutMetricFilter",
        {
            "filterName": name,
            "filterPattern": prop("FilterPattern"),
            "logGroupName": prop("LogGroupName"),
            "metricTransformations": _transformations,
        },
    )


_REMOVE_FILTER = Step("DeleteMetricFilter", {"filterName": own_id, "logGroupName": prop("LogGroupName")})


def _replace_filter(here: Here) -> None:
    """Write it anew; moto would have two of one name."""
    try:
        _REMOVE_FILTER.take(here)
    except CallRefused as refused:
        if "NotFound" not in refused.code:
            raise
    _filter(own_id).take(here)


METRIC_FILTER = CallType(
    Shape(
        "AWS::Logs::MetricFilter",
        properties=frozenset({"FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"}),
        name_property="FilterName",
        name_limit=512,
        replaced_by=frozenset({"LogGroupName"}),
    ),
    "logs",
    create=_filter(own_name),
    made=own_name,
    update=(_replace_filter,),
    remove=_REMOVE_FILTER,
    read=Step("DescribeMetricFilters", {"filterNamePrefix": own_id, "logGroupName": prop("LogGroupName")}),
    taken=lambda here, answer: any(each["filterName"] == here.id for each in answer["metricFilters"]),
)

MONITORING = (ALARM, DASHBOARD, METRIC_FILTER)
