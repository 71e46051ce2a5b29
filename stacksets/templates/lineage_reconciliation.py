"""The reconciliation: on a schedule, what AWS itself says of every account is read, and sent to the ingest."""

from __future__ import annotations

from troposphere import GetAtt, Output, Ref, Template

from stacksets.functions import RECONCILE, RECONCILE_PLAN
from stacksets.templates.buckets import bucket_by_tls_only, own_bucket
from stacksets.templates.function import (
    add_arn_parameter,
    add_function,
    add_function_parameters,
    add_parameter,
    add_settings_parameter,
    depth_alarm,
    take_from,
)
from stacksets.templates.names import RECONCILE_QUEUE
from stacksets.templates.queues import own_queue, tls_only
from stacksets.templates.schedule import add_scheduled


def render() -> Template:
    template = Template("orgctl lineage reconciliation: reads what AWS says of every account")
    template.set_version()
    add_function_parameters(template, in_network=False)
    add_settings_parameter(template)
    add_readings_parameters(template)
    add_parameter(template, "OrganizationId", "Whose accounts are read, and no others", AllowedPattern="o-[a-z0-9]+")
    key = Ref("FunctionsKeyArn")
    state = template.add_resource(
        own_bucket(
            "State",
            "orgctl-lineage-state-${AWS::AccountId}-${AWS::Region}",
            key,
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
            Metadata={
                "Reasons": {"Retain": "A bucket that is not empty cannot be deleted"},
                "checkov": {
                    "skip": [
                        {"id": "CKV_AWS_18", "comment": "A cache: what it holds was read from AWS, and can be again"},
                        {"id": "CKV_AWS_21", "comment": "A cache: earlier versions say nothing"},
                    ]
                },
            },
        )
    )
    template.add_resource(bucket_by_tls_only(state))
    dead = template.add_resource(own_queue("PlacesDeadLetters", f"{RECONCILE_QUEUE}-dead-letters", key))
    places = template.add_resource(own_queue("Places", RECONCILE_QUEUE, key, seconds=RECONCILE.seconds, dead=dead))
    for queue in (places, dead):
        template.add_resource(tls_only(f"{queue.title}Policy", queue))
    template.add_resource(depth_alarm(f"{RECONCILE_QUEUE}-dead-letters", dead))
    plan = add_scheduled(template, RECONCILE_PLAN, "ReconciliationSchedule", "rate(1 day)")
    add_function(template, RECONCILE)
    take_from(template, RECONCILE, places, batch=1, at_once=RECONCILE.reserved, wait=0)
    template.add_output(Output("PlacesQueueUrl", Description="Places still to be read", Value=Ref(places)))
    template.add_output(Output("StateBucket", Description="What was sent of each place last", Value=Ref(state)))
    template.add_output(Output("PlanFunctionArn", Description="Starts it", Value=GetAtt(plan, "Arn")))
    return template


def add_readings_parameters(template: Template) -> None:
    add_parameter(template, "ReadingsQueueUrl", "Where readings go", AllowedPattern=r"https?://.+")
    add_arn_parameter(template, "ReadingsQueueArn", "Where readings go")
    add_arn_parameter(template, "EventsKeyArn", "KMS key of that queue")
