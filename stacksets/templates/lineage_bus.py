"""What the lineage account gets in the home Region: the central event bus to which all accounts forward."""

from __future__ import annotations

from troposphere import AccountId, GetAtt, Output, Parameter, Ref, Sub, Template
from troposphere.events import EventBus, EventBusPolicy
from troposphere.kms import Key

from stacksets.templates.names import BUS_NAME_PATTERN, CENTRAL_BUS
from stacksets.templates.own_key import own_key

_BUS_ARN = Sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${CentralBusName}")


def render() -> Template:
    template = Template("orgctl central event bus: receives machine image events from every account")
    template.set_version()
    template.add_parameter(
        Parameter(
            "OrganizationId",
            Type="String",
            Description="Only principals of this organization may put events on the bus",
            AllowedPattern="o-[a-z0-9]+",
        )
    )
    template.add_parameter(
        Parameter(
            "CentralBusName",
            Type="String",
            Description="Name of the event bus",
            Default=CENTRAL_BUS,
            AllowedPattern=BUS_NAME_PATTERN,
        )
    )
    key = template.add_resource(_key())
    bus = template.add_resource(
        EventBus(
            "CentralBus",
            Name=Ref("CentralBusName"),
            Description="Machine image events of all accounts of the organization",
            KmsKeyIdentifier=GetAtt(key, "Arn"),
        )
    )
    template.add_resource(_bus_policy(bus))
    template.add_output(Output("CentralBusArn", Description="The bus to which accounts forward", Value=_BUS_ARN))
    return template


def _bus_policy(bus: EventBus) -> EventBusPolicy:
    """Let the whole organization put events and do nothing else: who may make rules here is for IAM in this account.

    Not narrowed to the forwarder roles: anyone could make a role of such a name, and AWS does not say whether
    EventBridge also checks this policy against whoever adds the bus as a target.
    """
    return EventBusPolicy(
        "CentralBusPolicy",
        EventBusName=Ref(bus),
        StatementId="OrganizationMayPutEvents",
        Statement={
            "Sid": "OrganizationMayPutEvents",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": _BUS_ARN,
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": Ref("OrganizationId")}},
        },
    )


def _key() -> Key:
    """Encrypt rules, targets and custom events; AWS encrypts the events of its own services with a key of AWS.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
    """
    of_the_bus = {
        "aws:SourceAccount": AccountId,
        "aws:SourceArn": _BUS_ARN,
        "kms:EncryptionContext:aws:events:event-bus:arn": _BUS_ARN,
    }
    events = {"Service": "events.amazonaws.com"}
    uses = [
        {
            "Sid": "EventBridgeEncryptsTheBus",
            "Effect": "Allow",
            "Principal": events,
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": of_the_bus},
        },
        {
            # Without a condition, as AWS documents it: the call has no encryption context, and may come before the bus.
            "Sid": "EventBridgeLooksAtTheKey",
            "Effect": "Allow",
            "Principal": events,
            "Action": "kms:DescribeKey",
            "Resource": "*",
        },
    ]
    return own_key("CentralBusKey", "Encrypts the central event bus of orgctl", uses)
