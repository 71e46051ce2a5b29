"""What people look at: two dashboards, and alarms for what is no function's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from troposphere import GetAtt, Output, Ref, Sub, Template
from troposphere.cloudwatch import Dashboard
from troposphere.events import DeadLetterConfig, Rule, Target

from stacksets.functions import FUNCTIONS, NOTIFY, LambdaFunction
from stacksets.templates.firewall import NAME as FIREWALL
from stacksets.templates.function import add_arn_parameter, add_parameter, depth_alarm, raise_alarm
from stacksets.templates.lineage_api import STAGE
from stacksets.templates.names import LINEAGE_API, LINEAGE_QUEUE, READINGS_QUEUE, RECONCILE_QUEUE
from stacksets.templates.queues import own_queue, rule_may_send, tls_only

API_DASHBOARD, COMPLIANCE_DASHBOARD = "AMI-Lineage-API-Dashboard", "AMI-Compliance-Dashboard"
GRAPH_EVENTS = "orgctl-lineage-graph-events"
_WIDTH, _HEIGHT, _IN_A_ROW = 12, 6, 2
_HOUR = 3600


def render() -> Template:
    template = Template("orgctl lineage watch: dashboards and alarms of the lineage system")
    template.set_version()
    add_arn_parameter(template, "ErrorTopicArn", "Topic that alarms are sent to")
    add_arn_parameter(template, "FunctionsKeyArn", "KMS key of the queue for what the topic did not get")
    add_parameter(template, "GraphCluster", "The graph's cluster", MinLength=1)
    for title, name, widgets in (
        ("ApiDashboard", API_DASHBOARD, _api_widgets()),
        ("ComplianceDashboard", COMPLIANCE_DASHBOARD, _compliance_widgets()),
    ):
        template.add_resource(Dashboard(title, DashboardName=name, DashboardBody=Sub(_body(widgets))))
        url = f"https://${{AWS::Region}}.console.aws.amazon.com/cloudwatch/home?region=${{AWS::Region}}#dashboards:name={name}"
        output = "DashboardURL" if title == "ApiDashboard" else "ComplianceDashboardURL"
        template.add_output(Output(output, Description=f"{name} in the console", Value=Sub(url)))
    _add_alarms(template)
    _add_graph_events(template)
    return template


def _add_alarms(template: Template) -> None:
    api = {"ApiName": LINEAGE_API, "Stage": STAGE}
    cluster = {"DBClusterIdentifier": Ref("GraphCluster")}
    template.add_resource(
        raise_alarm(
            "ApiServerErrors",
            "orgctl-lineage-api-5xx",
            "The API answers that something is wrong with itself",
            "AWS/ApiGateway",
            "5XXError",
            api,
            statistic="Sum",
        )
    )
    template.add_resource(
        raise_alarm(
            "GraphAtItsLimit",
            "orgctl-lineage-graph-capacity",
            "The graph uses nearly all of the capacity that it may grow to: raise lineage.graph.max_capacity",
            "AWS/Neptune",
            "NCUUtilization",
            cluster,
            statistic="Average",
            above=90,
        )
    )
    template.add_resource(
        raise_alarm(
            "ManySevereFindings",
            "orgctl-lineage-severe-findings",
            "More than five findings of high or critical severity are open",
            "orgctl",
            "findings_severe",
            {"service": "lineage-assess"},
            statistic="Maximum",
            above=5,
        )
    )


def _add_graph_events(template: Template) -> None:
    """Neptune tells of itself as RDS does [H]: a failover, a deletion, a backup that was not made."""
    failures = template.add_resource(
        own_queue("GraphEventFailures", f"{GRAPH_EVENTS}-failures", Ref("FunctionsKeyArn"))
    )
    template.add_resource(tls_only("GraphEventFailuresPolicy", failures, rule_may_send(GRAPH_EVENTS)))
    template.add_resource(depth_alarm(f"{GRAPH_EVENTS}-failures", failures))
    dead = DeadLetterConfig(Arn=GetAtt(failures, "Arn"))
    template.add_resource(
        Rule(
            "GraphEvents",
            Name=GRAPH_EVENTS,
            Description="Tells people what becomes of the graph's cluster",
            EventPattern={
                "source": ["aws.rds"],
                "detail-type": ["RDS DB Cluster Event", "RDS DB Cluster Snapshot Event"],
                "detail": {
                    "EventCategories": ["configuration change", "deletion", "failover", "failure", "maintenance"],
                    "SourceIdentifier": [Ref("GraphCluster")],
                },
            },
            State="ENABLED",
            Targets=[Target(Id="errors", Arn=Ref("ErrorTopicArn"), DeadLetterConfig=dead)],
        )
    )


def _api_widgets() -> list[Mapping[str, object]]:
    def api(metric: str) -> list[object]:
        return ["AWS/ApiGateway", metric, "ApiName", LINEAGE_API, "Stage", STAGE]

    return [
        _widget("Requests, refused and failed", [api("Count"), api("4XXError"), api("5XXError")], "Sum"),
        _widget("Milliseconds, of 99 in 100 requests", [api("Latency"), api("IntegrationLatency")], "p99"),
        _widget(
            "Firewall",
            [
                ["AWS/WAFV2", metric, "WebACL", FIREWALL, "Rule", "ALL", "Region", "${AWS::Region}"]
                for metric in ("AllowedRequests", "BlockedRequests")
            ],
            "Sum",
        ),
        _widget("Graph: capacity in use", [_graph("ServerlessDatabaseCapacity"), _graph("NCUUtilization")], "Average"),
        _widget("Graph: requests", [_graph("GremlinRequestsPerSec"), _graph("GremlinClientErrorsPerSec")], "Average"),
    ]


def _compliance_widgets() -> list[Mapping[str, object]]:
    always = [row for row in FUNCTIONS if row is not NOTIFY]
    return [
        _widget("Functions: errors", [_function(row, "Errors") for row in always], "Sum"),
        _widget("Functions: milliseconds", [_function(row, "Duration") for row in always], "p99"),
        _widget(
            "Messages that wait", [_queue(name, "ApproximateNumberOfMessagesVisible") for name in _QUEUES], "Maximum"
        ),
        _widget(
            "Seconds that the oldest waits",
            [_queue(name, "ApproximateAgeOfOldestMessage") for name in _QUEUES],
            "Maximum",
        ),
        _widget(
            "Findings that are open",
            [["orgctl", metric, "service", "lineage-assess"] for metric in ("findings_open", "findings_severe")],
            "Maximum",
        ),
    ]


_QUEUES = (
    LINEAGE_QUEUE,
    f"{LINEAGE_QUEUE}-dead-letters",
    READINGS_QUEUE,
    f"{READINGS_QUEUE}-dead-letters",
    RECONCILE_QUEUE,
    f"{RECONCILE_QUEUE}-dead-letters",
)


def _function(row: LambdaFunction, metric: str) -> list[object]:
    return ["AWS/Lambda", metric, "FunctionName", row.name]


def _queue(name: str, metric: str) -> list[object]:
    return ["AWS/SQS", metric, "QueueName", name]


def _graph(metric: str) -> list[object]:
    return ["AWS/Neptune", metric, "DBClusterIdentifier", "${GraphCluster}"]


def _widget(title: str, metrics: Sequence[Sequence[object]], statistic: str) -> Mapping[str, object]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "metrics": metrics,
            "stat": statistic,
            "period": _HOUR // 12,
            "region": "${AWS::Region}",
            "view": "timeSeries",
        },
    }


def _body(widgets: Sequence[Mapping[str, object]]) -> str:
    placed = [
        {
            **widget,
            "x": number % _IN_A_ROW * _WIDTH,
            "y": number // _IN_A_ROW * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
        }
        for number, widget in enumerate(widgets)
    ]
    return json.dumps({"widgets": placed}, separators=(",", ":"))
