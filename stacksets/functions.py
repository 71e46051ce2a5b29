"""The functions of the lineage account, as data: what each runs, where, and which calls its code makes.

Texts may hold `${…}`, which CloudFormation fills in: pseudo parameters, and parameters of the function's template.
`stacksets.templates.function` makes role, log group, function and alarms of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacksets.templates.names import (
    ACTIONS_FUNCTION,
    API_FUNCTION,
    ASSESS_FUNCTION,
    CONFIG_FUNCTION,
    EVALUATIONS_ROLE,
    INGEST_FUNCTION,
    NOTIFY_FUNCTION,
    PLAN_FUNCTION,
    READER_ROLE,
    RECONCILE_FUNCTION,
)

Conditions = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Need:
    """One statement of a function's role."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)
    reason: str = ""
    """Why it is no narrower; needed where a wildcard stands for all resources."""


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    title: str
    """Begins the names of its resources in the template."""
    name: str
    handler: str
    description: str
    memory: int
    """In MB; the share of a processor grows with it."""
    seconds: int
    """After which Lambda ends it."""
    reserved: int
    """How many run at once at most; taken from the account's quota."""
    in_network: bool
    """In the VPC, where the graph is, and from where there is no way out but the endpoints."""
    asynchronous: bool
    """Called by a service that does not wait: what fails goes to a queue of the function's own."""
    environment: Mapping[str, str]
    needs: tuple[Need, ...]

    @property
    def module(self) -> str:
        return self.handler.rpartition(".")[0]


GRAPH, ARCHIVE, SETTINGS = "ORGCTL_LINEAGE_GRAPH", "ORGCTL_LINEAGE_ARCHIVE", "ORGCTL_LINEAGE_SETTINGS"
_GRAPH = {GRAPH: "${GraphUrl}"}
_SETTINGS = {SETTINGS: "${Settings}"}
_READINGS = {"ORGCTL_READINGS_QUEUE": "${ReadingsQueueUrl}"}
_USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_HUB_PRODUCT = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:product/${AWS::AccountId}/default"
_HUB = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:hub/default"


def _through(service: str) -> Conditions:
    """Use a key through one service alone."""
    return {"StringEquals": {"kms:ViaService": f"{service}.${{AWS::Region}}.amazonaws.com"}}


def _read_graph() -> Need:
    return Need("ReadGraph", ("neptune-db:ReadDataViaQuery",), ("${GraphDataArn}",))


def _take(title: str, queue: str) -> Need:
    calls = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return Need(title, calls, (queue,))


def _send_readings() -> tuple[Need, ...]:
    return (
        Need("SendReadings", ("sqs:SendMessage",), ("${ReadingsQueueArn}",)),
        Need("EncryptReadings", _USE_KEY, ("${EventsKeyArn}",), _through("sqs")),
    )


def _publish(*topics: str) -> tuple[Need, ...]:
    return (
        Need("Notify", ("sns:Publish",), topics),
        Need("EncryptNotices", _USE_KEY, ("${NoticesKeyArn}",), _through("sns")),
    )


def _remember(sid: str, prefix: str) -> tuple[Need, ...]:
    """Read and write under a prefix of the state bucket."""
    bucket = "arn:${AWS::Partition}:s3:::${StateBucket}"
    return (
        Need(sid, ("s3:GetObject", "s3:PutObject"), (f"{bucket}/{prefix}/*",)),
        Need(
            "SeeWhatIsRemembered",
            ("s3:ListBucket",),
            (bucket,),
            reason="Without it S3 answers 403 and not 404 for an object that is not there yet",
        ),
        Need("EncryptState", _USE_KEY, ("${FunctionsKeyArn}",), _through("s3")),
    )


def _enter(role: str) -> Need:
    """Into other accounts: their trust policies ask for this account, the organization and the external id."""
    return Need(
        "EnterAccounts",
        ("sts:AssumeRole",),
        (f"arn:${{AWS::Partition}}:iam::*:role/{role}",),
        {"StringEquals": {"aws:ResourceOrgID": "${OrganizationId}"}},
        "Any account of the organization, and none outside: it grows",
    )


INGEST = LambdaFunction(
    title="Ingest",
    name=INGEST_FUNCTION,
    handler="handlers.ingest_events.handler",
    description="Keeps machine image events in the archive and adds what they say to the lineage graph",
    memory=512,
    seconds=60,
    reserved=10,
    in_network=True,
    asynchronous=False,
    environment={**_GRAPH, ARCHIVE: "${Archive}"},
    needs=(
        _take("TakeEvents", "${Events.Arn}"),
        _take("TakeReadings", "${Readings.Arn}"),
        Need("KeepEvents", ("s3:PutObject",), ("${Archive.Arn}/events/*", "${Archive.Arn}/readings/*")),
        Need("DecryptMessages", ("kms:Decrypt",), ("${LineageKey.Arn}",), _through("sqs")),
        Need("EncryptArchive", ("kms:GenerateDataKey",), ("${LineageKey.Arn}",), _through("s3")),
        Need(
            "WriteGraph",
            ("neptune-db:ReadDataViaQuery", "neptune-db:WriteDataViaQuery", "neptune-db:DeleteDataViaQuery"),
            ("${GraphDataArn}",),
            reason="Facts are only added; but Neptune asks for the right to delete for every query with a property() "
            "step, which moves the time up to which a place was heard: "
            "https://docs.aws.amazon.com/neptune/latest/userguide/iam-data-access-policies.html",
        ),
    ),
)

API = LambdaFunction(
    title="Api",
    name=API_FUNCTION,
    handler="handlers.lineage_api.handler",
    description="Answers questions to the lineage graph",
    memory=1024,
    # API Gateway waits 29 seconds for an integration, no longer.
    seconds=28,
    reserved=50,
    in_network=True,
    asynchronous=False,
    environment={**_GRAPH, **_SETTINGS, "ORGCTL_LINEAGE_CURSOR_SECRET": "${CursorSecret}"},
    needs=(
        _read_graph(),
        Need("SignCursors", ("secretsmanager:GetSecretValue",), ("${CursorSecret}",)),
        Need("DecryptSecret", ("kms:Decrypt",), ("${FunctionsKeyArn}",), _through("secretsmanager")),
        Need("ImportFindings", ("securityhub:BatchImportFindings",), (_HUB_PRODUCT,)),
    ),
)

RECONCILE_PLAN = LambdaFunction(
    title="ReconcilePlan",
    name=PLAN_FUNCTION,
    handler="handlers.plan_reconciliation.handler",
    description="Asks for one reading of each account in each Region",
    memory=256,
    seconds=300,
    reserved=1,
    in_network=False,
    asynchronous=True,
    environment={
        **_SETTINGS,
        **_READINGS,
        "ORGCTL_RECONCILE_QUEUE": "${Places}",
    },
    needs=(
        Need(
            "ListAccounts",
            ("organizations:ListAccounts",),
            ("*",),
            reason="AWS defines no resource for this call",
        ),
        # Their key is that of the queue of failures, which the role of every such function may use.
        Need("AskForReadings", ("sqs:SendMessage",), ("${Places.Arn}",)),
        *_send_readings(),
    ),
)

RECONCILE = LambdaFunction(
    title="Reconcile",
    name=RECONCILE_FUNCTION,
    handler="handlers.reconcile.handler",
    description="Reads what AWS says of the images of one account in one Region, and sends it to the ingest",
    memory=512,
    seconds=900,
    reserved=10,
    in_network=False,
    asynchronous=False,
    environment={**_SETTINGS, **_READINGS, "ORGCTL_LINEAGE_STATE": "${State}"},
    needs=(
        _take("TakeRequests", "${Places.Arn}"),
        Need("DecryptRequests", ("kms:Decrypt",), ("${FunctionsKeyArn}",), _through("sqs")),
        _enter(READER_ROLE),
        Need("RememberReadings", ("s3:GetObject", "s3:PutObject"), ("${State.Arn}/last-read/*",)),
        Need(
            "SeeWhatIsRemembered",
            ("s3:ListBucket",),
            ("${State.Arn}",),
            reason="Without it S3 answers 403 and not 404 for an object that is not there yet",
        ),
        Need("EncryptState", _USE_KEY, ("${FunctionsKeyArn}",), _through("s3")),
        *_send_readings(),
    ),
)

CONFIG_RULES = LambdaFunction(
    title="ConfigRules",
    name=CONFIG_FUNCTION,
    handler="handlers.config_rules.handler",
    description="Tells AWS Config of every account which images and instances keep to the rules",
    memory=512,
    seconds=300,
    reserved=10,
    in_network=True,
    asynchronous=True,
    environment={**_GRAPH, **_SETTINGS, "ORGCTL_LINEAGE_STATE": "${StateBucket}"},
    needs=(_read_graph(), _enter(EVALUATIONS_ROLE), *_remember("RememberEvaluations", "evaluations")),
)

ASSESS = LambdaFunction(
    title="Assess",
    name=ASSESS_FUNCTION,
    handler="handlers.assess_compliance.handler",
    description="Judges every image, and brings the findings in Security Hub up to date",
    memory=2048,
    seconds=900,
    reserved=1,
    in_network=True,
    asynchronous=True,
    environment={
        **_GRAPH,
        **_SETTINGS,
        "ORGCTL_COMPLIANCE_TOPIC": "${ComplianceTopicArn}",
        "ORGCTL_ALERT_TOPIC": "${AlertTopicArn}",
        "ORGCTL_LINEAGE_STATE": "${StateBucket}",
    },
    needs=(
        _read_graph(),
        *_remember("RememberFindings", "published"),
        Need("ReadFindings", ("securityhub:GetFindings",), (_HUB,)),
        Need("ImportFindings", ("securityhub:BatchImportFindings",), (_HUB_PRODUCT,)),
        *_publish("${ComplianceTopicArn}", "${AlertTopicArn}"),
    ),
)

ACTIONS = LambdaFunction(
    title="Actions",
    name=ACTIONS_FUNCTION,
    handler="handlers.finding_actions.handler",
    description="Carries out what was chosen for a finding in Security Hub",
    memory=512,
    seconds=120,
    reserved=2,
    in_network=True,
    asynchronous=True,
    environment={**_GRAPH, **_SETTINGS, **_READINGS, "ORGCTL_ALERT_TOPIC": "${AlertTopicArn}"},
    needs=(
        _read_graph(),
        *_send_readings(),
        *_publish("${AlertTopicArn}"),
        Need("NoteOnFindings", ("securityhub:BatchUpdateFindings",), (_HUB,)),
    ),
)

NOTIFY = LambdaFunction(
    title="Notify",
    name=NOTIFY_FUNCTION,
    handler="handlers.notify_chat.handler",
    description="Brings notices to a chat",
    memory=256,
    seconds=30,
    reserved=2,
    in_network=False,
    asynchronous=True,
    environment={"ORGCTL_WEBHOOK_SECRET": "${WebhookSecret}"},
    needs=(
        Need("ReadWebhook", ("secretsmanager:GetSecretValue",), ("${WebhookSecret}",)),
        Need("DecryptSecret", ("kms:Decrypt",), ("${FunctionsKeyArn}",), _through("secretsmanager")),
    ),
)

FUNCTIONS = (INGEST, API, RECONCILE_PLAN, RECONCILE, CONFIG_RULES, ASSESS, ACTIONS, NOTIFY)
