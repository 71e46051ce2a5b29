"""The function behind the queues of lineage events and of readings: archive, then graph.

A message whose event cannot be archived comes again by itself; where the graph cannot be written, all of the batch come
again. What can never be read is no failure: it is archived, counted on its place's coverage, and gone from the queue.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from handlers.lineage.archive import EVENTS, READINGS
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.ingest import add, keep_and_read
from handlers.lineage.open import open_graph
from handlers.lineage.readings.form import READINGS_QUEUE
from org.errors import OrgctlError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from handlers.lineage.archive import Archive
    from handlers.lineage.events.heard import Heard
    from handlers.lineage.graph import Graph

SERVICE = "lineage-ingest"
logger = Logger(service=SERVICE)
metrics = Metrics(namespace="orgctl", service=SERVICE)

GRAPH, ARCHIVE = "ORGCTL_LINEAGE_GRAPH", "ORGCTL_LINEAGE_ARCHIVE"
REPORTED = frozenset({Outcome.FORGED, Outcome.MALFORMED, Outcome.UNKNOWN})
GRAPH_SECONDS = 10.0
"""For one call, so that a graph that does not answer is told by an error and not by the end of the function."""


@cache
def _graph() -> Graph:
    return open_graph(_setting(GRAPH), timeout=GRAPH_SECONDS)


@cache
def _archive() -> Archive:
    import boto3

    from handlers.lineage.archive import S3Archive

    return S3Archive(boto3.client("s3"), _setting(ARCHIVE))


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise OrgctlError(name, "is not set in the function's environment", "deploy the template lineage-ingest")
    return value


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the decorators read it
    """Take a batch of the queue; answers which messages are to come again (ReportBatchItemFailures)."""
    return take(event, _archive(), _graph())


def take(event: dict[str, Any], archive: Archive, graph: Graph) -> dict[str, Any]:
    """Take a batch of SQS messages, each the text of one EventBridge event or of one reading."""

    def read(record: SQSRecord) -> Heard:
        # Only the queue tells who speaks: what is in a message, anybody can write who can reach the bus.
        ours = record.event_source_arn.rpartition(":")[2] == READINGS_QUEUE
        return keep_and_read(record.body, archive, READINGS if ours else EVENTS)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], read):
        read_ones = [result for status, result, _ in processor.process() if status == "success"]
    if read_ones:
        add(read_ones, graph)
    _report(read_ones)
    return dict(processor.response())


def _report(heards: list[Heard]) -> None:
    for outcome, count in sorted(Counter(heard.outcome for heard in heards).items()):
        metrics.add_metric(f"events_{outcome.value.replace('-', '_')}", MetricUnit.Count, count)
    for heard in heards:
        if heard.outcome in REPORTED:
            logger.warning(
                "an event was not believed" if heard.outcome is Outcome.FORGED else "an event could not be read",
                outcome=heard.outcome.value,
                what=heard.what,
                reason=heard.reason,
                claimed_account=heard.evidence.account,
                claimed_region=heard.evidence.region,
                event_id=heard.event_id,
            )
