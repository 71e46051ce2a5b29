"""A function that a rule of EventBridge calls, on a schedule or by events."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Template
from troposphere.awslambda import Function, Permission
from troposphere.events import DeadLetterConfig, Rule, Target

from stacksets.functions import LambdaFunction
from stacksets.templates.function import add_function, add_parameter, failures_of
from stacksets.templates.queues import rule_may_send


def add_called_by_rule(template: Template, row: LambdaFunction) -> Function:
    """Add a function whose rule has its name; what the rule cannot bring to it goes to its failures."""
    return add_function(template, row, undelivered=[rule_may_send(row.name)])


def target_of(row: LambdaFunction, function: Function) -> Target:
    dead = DeadLetterConfig(Arn=failures_of(row))
    return Target(Id="function", Arn=GetAtt(function, "Arn"), DeadLetterConfig=dead)


def add_scheduled(template: Template, row: LambdaFunction, parameter: str, default: str) -> Function:
    """Add the function, and call it as the parameter says: `rate(1 day)` or `cron(0 4 * * ? *)`, in UTC."""
    function = add_called_by_rule(template, row)
    add_parameter(
        template,
        parameter,
        f"When {row.name} runs: rate(…) or cron(…), in UTC",
        Default=default,
        AllowedPattern=r"(rate|cron)\([\w ,*?/#-]+\)",
    )
    rule = template.add_resource(
        Rule(
            f"{row.title}Schedule",
            Name=row.name,
            Description=f"Runs {row.name}",
            ScheduleExpression=Ref(parameter),
            State="ENABLED",
            Targets=[target_of(row, function)],
        )
    )
    template.add_resource(
        Permission(
            f"{row.title}ScheduleMayCall",
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(rule, "Arn"),
        )
    )
    return function
