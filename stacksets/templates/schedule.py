"""A function that runs on a schedule."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Template
from troposphere.awslambda import Function, Permission
from troposphere.events import Rule, Target

from stacksets.functions import LambdaFunction
from stacksets.templates.function import add_parameter


def add_schedule(template: Template, row: LambdaFunction, function: Function, parameter: str, default: str) -> None:
    """Call the function as the parameter says: `rate(1 day)` or `cron(0 4 * * ? *)`, in UTC."""
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
            Targets=[Target(Id="function", Arn=GetAtt(function, "Arn"))],
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
