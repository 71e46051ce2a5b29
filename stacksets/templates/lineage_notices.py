"""Who hears of what: three topics, mails by severity, a chat, and the alarms' way to people."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from troposphere import AccountId, GetAtt, Output, Ref, Sub, Template
from troposphere.awslambda import Permission
from troposphere.kms import Key
from troposphere.secretsmanager import Secret
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from stacksets.functions import NOTIFY
from stacksets.notices import Mail
from stacksets.templates.function import add_function, add_function_parameters, failures_of
from stacksets.templates.names import ALERT_TOPIC, COMPLIANCE_TOPIC, ERROR_TOPIC
from stacksets.templates.own_key import own_key
from stacksets.templates.queues import topics_may_send

ERRORS = "ErrorTopic"
TOPICS = (
    ("ComplianceTopic", COMPLIANCE_TOPIC, "Findings of image compliance, and the summary of each run"),
    ("AlertTopic", ALERT_TOPIC, "Contradictions, forged events, and what was done about a finding"),
    (ERRORS, ERROR_TOPIC, "Alarms of the lineage system itself"),
)
SERVICES = {
    "cloudwatch": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:orgctl-*",
    "events": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/orgctl-*",
}
"""Services that publish errors, and what of theirs may."""


def render(mails: Sequence[Mail] = (), *, chat: bool = False) -> Template:
    """Render for those who get mails; `chat`: whether all of it goes to a chat as well."""
    template = Template("orgctl lineage notices: topics, their subscribers, and the way to a chat")
    template.set_version()
    key = template.add_resource(_key())
    topics = [template.add_resource(_topic(title, name, says, key)) for title, name, says in TOPICS]
    for topic in topics:
        template.add_resource(_policy(topic))
        template.add_output(Output(f"{topic.title}Arn", Description=topic.DisplayName, Value=Ref(topic)))
        for mail in mails:
            if topic.title != ERRORS or mail.hears_of_errors:
                digest = hashlib.sha256(mail.address.encode()).hexdigest()[:8]
                template.add_resource(_mail(f"{topic.title}Mail{digest}", topic, mail))
    if chat:
        _add_chat(template, topics)
    template.add_output(Output("NoticesKeyArn", Description="Encrypts the topics", Value=GetAtt(key, "Arn")))
    return template


def _topic(title: str, name: str, says: str, key: Key) -> Topic:
    return Topic(title, TopicName=name, DisplayName=says, KmsMasterKeyId=GetAtt(key, "Arn"))


def _policy(topic: Topic) -> TopicPolicy:
    """Let services publish errors; all else may publish by their own role's policy, and nobody without TLS."""
    statements: list[dict[str, object]] = [
        {
            "Sid": f"{service.capitalize()}MayPublish",
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": Ref(topic),
            "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}, "ArnLike": {"aws:SourceArn": Sub(source)}},
        }
        for service, source in SERVICES.items()
        if topic.title == ERRORS
    ]
    statements.append(
        {
            "Sid": "NothingWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": Ref(topic),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
    return TopicPolicy(
        f"{topic.title}Policy", Topics=[Ref(topic)], PolicyDocument={"Version": "2012-10-17", "Statement": statements}
    )


def _mail(title: str, topic: Topic, mail: Mail) -> SubscriptionResource:
    """By severity, which every publisher of findings sends as an attribute; alarms have none, and pass unfiltered."""
    only = {} if topic.title == ERRORS else {"FilterPolicy": {"severity": list(mail.labels)}}
    return SubscriptionResource(title, TopicArn=Ref(topic), Protocol="email", Endpoint=mail.address, **only)


def _add_chat(template: Template, topics: Sequence[Topic]) -> None:
    add_function_parameters(template, in_network=False)
    # This very stack makes the topic that its alarms go to.
    del template.parameters["ErrorTopicArn"]
    template.add_resource(
        Secret(
            "WebhookSecret",
            Name="orgctl-lineage-webhook",
            Description="URL of the chat's webhook: put it in when the stack is there; orgctl never sees it",
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
            KmsKeyId=Ref("FunctionsKeyArn"),
        )
    )
    undelivered = [topics_may_send(*(name for _, name, _ in TOPICS))]
    function = add_function(template, NOTIFY, alarm_topic=ERRORS, undelivered=undelivered)
    template.add_output(Output("WebhookSecretArn", Description="For the webhook's URL", Value=Ref("WebhookSecret")))
    for topic in topics:
        template.add_resource(
            Permission(
                f"{topic.title}MayCall",
                Action="lambda:InvokeFunction",
                FunctionName=Ref(function),
                Principal="sns.amazonaws.com",
                SourceArn=Ref(topic),
            )
        )
        template.add_resource(
            SubscriptionResource(
                f"{topic.title}Chat",
                TopicArn=Ref(topic),
                Protocol="lambda",
                Endpoint=GetAtt(function, "Arn"),
                RedrivePolicy={"deadLetterTargetArn": failures_of(NOTIFY)},
            )
        )


def _key() -> Key:
    """Let publishers that are services encrypt.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: conditions on the source are not supported for
    EventBridge; the topics' policies have them.
    """
    topics = [Sub(f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{name}") for _, name, _ in TOPICS]
    context = {"kms:EncryptionContext:aws:sns:topicArn": topics}
    conditions: dict[str, dict[str, dict[str, object]]] = {
        "cloudwatch": {"StringEquals": {"aws:SourceAccount": AccountId, **context}},
        "events": {"StringEquals": dict(context)},
    }
    uses = [
        {
            "Sid": f"{service.capitalize()}Publishes",
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": condition,
        }
        for service, condition in conditions.items()
    ]
    why = {
        "kms:GenerateDataKey*": "AWS documents it so for services that publish, and not which of the calls each makes"
    }
    return own_key("NoticesKey", "Encrypts the notices of orgctl's lineage system", uses, why)
