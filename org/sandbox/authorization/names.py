"""The names and ARNs that stand in a call's parameters, with what each service calls its own way made plain.

S3 names the source of a copy in a header, and a queue is known by its URL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from moto.utilities.utils import get_partition

from org.sandbox.authorization.model import ApiCall
from org.sandbox.authorization.names_found import (
    Names,
    find_in_cloudformation,
    find_in_config,
    find_in_iam,
    find_in_kms,
    find_in_organizations,
    find_in_secrets,
    find_in_securityhub,
    texts_of,
)


def names_in(call: ApiCall, source: str = "") -> Mapping[str, tuple[str, ...]]:
    names: Names = {}
    for name, value in call.parameters.items():
        texts = texts_of(value)
        if texts:
            plain = name.lower().replace("-", "").replace("_", "")
            names[plain] = texts
            if isinstance(value, list):
                names.setdefault(plain.removesuffix("s"), texts)
    read = _OWN_WAYS.get(call.service)
    if read is not None:
        read(call, names, source)
    return names


def _read_s3(call: ApiCall, names: Names, source: str) -> None:
    bucket = call.parameters.get("Bucket", "")
    names.update({"bucketname": (bucket,) if bucket else (), "objectname": names.get("key", ())})
    if source.startswith("Delete"):
        objects = call.parameters.get("Delete", {}).get("Objects", [])
        objects = [each for each in objects if bool(each.get("VersionId")) is (source == "Delete.VersionId")]
        names["objectname"] = tuple(each["Key"] for each in objects)
        names["bucketname"] = (bucket,) * len(objects)
    elif source.startswith("CopySource"):
        path = unquote(urlsplit(str(call.parameters.get("CopySource", ""))).path).lstrip("/")
        copied, _, key = path.partition("/")
        names.update({"bucketname": (copied,), "objectname": (key,)})


def _read_sqs(call: ApiCall, names: Names, _: str) -> None:
    """Take the queue from the end of the URL, as moto does, whatever the URL; a name alone is good, too."""
    owner, queue = ["", *str(call.parameters.get("QueueUrl", "")).split("/")][-2:]
    if "QueueOwnerAWSAccountId" in call.parameters:
        owner, queue = call.parameters["QueueOwnerAWSAccountId"], call.parameters.get("QueueName", "")
    if queue:
        account = owner if owner.isdigit() else call.account
        names["queuearn"] = (f"arn:{get_partition(call.region)}:sqs:{call.region}:{account}:{queue}",)


def _read_events(call: ApiCall, names: Names, _: str) -> None:
    if call.operation == "PutEvents":
        entries = call.parameters.get("Entries", [])
        names["eventbusname"] = tuple(each.get("EventBusName") or "default" for each in entries)
    buses = names.get("eventbusname", ())
    if "Rule" in call.operation or "Target" in call.operation:
        names["rulename"] = names.get("rule", names.get("name", ()))
        names["eventbusname"] = tuple(bus for bus in buses if bus.rpartition("/")[2] != "default")
    elif not buses and ("EventBus" in call.operation or "Permission" in call.operation):
        names["eventbusname"] = names.get("name", ("default",))


_OF_SSM = {
    "automation": "automationexecutionid",
    "association": "associationid",
    "document": "documentname",
    "maintenancewindow": "windowid",
    "parameter": "parametername",
}


def _read_ssm(call: ApiCall, names: Names, _: str) -> None:
    """Take versions and labels from the names of parameters, and tell the kinds apart that are tagged.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
    """
    parameters = "Parameter" in call.operation
    kind = str(call.parameters.get("ResourceType", "")).lower()
    if kind:
        ids = names.pop("resourceid", ())
        named = _OF_SSM.get(kind)
        if named:
            names[named] = ids
    elif parameters:
        names["parametername"] = names.pop("path", ()) or names.pop("names", ()) or names.get("name", ())
        names.pop("name", None)
    elif "target" in names:
        names["instanceid"] = names["target"]
    if "parametername" in names:
        names["parametername"] = tuple(
            each.split(":parameter/")[-1].partition(":")[0].removeprefix("/") for each in names["parametername"]
        )


def _read_lambda(call: ApiCall, names: Names, _: str) -> None:
    """Answer the function without its version or alias, but for a call of it.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    names.pop("sourcearn", None)  # whom a permission is for
    functions = []
    for each in names.get("functionname", ()):
        account = each.partition(":")[0]
        whole = f"arn:{get_partition(call.region)}:lambda:{call.region}:{call.account}:function:{each}"
        if each.startswith("arn:"):
            whole = each
        elif ":function:" in each:
            owner = account if account.isdigit() else call.account
            name = each.rpartition(":function:")[2]
            whole = f"arn:{get_partition(call.region)}:lambda:{call.region}:{owner}:function:{name}"
        parts = whole.split(":")
        qualifier = "".join(parts[7:8]) or str(call.parameters.get("Qualifier") or "")
        whole = ":".join(parts[:7])
        functions.append(f"{whole}:{qualifier}" if qualifier and call.operation.startswith("Invoke") else whole)
    names["functionname"] = tuple(functions)
    if "VersionNumber" in call.parameters:
        names["layerversion"] = (str(call.parameters["VersionNumber"]),)


def _read_sns(_call: ApiCall, names: Names, _: str) -> None:
    """Put the topic in the place of its subscription, and a number as it is: it stands for itself in denials."""
    for arn in names.pop("subscriptionarn", ()):
        names["topicarn"] = (":".join(arn.split(":")[:6]),)


def _read_dynamodb(call: ApiCall, names: Names, source: str) -> None:
    """Answer the tables of a batch; those of a transaction by what it does with them."""
    given = call.parameters.get("RequestItems")
    if isinstance(given, dict):
        names["tablename"] = tuple(given)
    items = call.parameters.get("TransactItems")
    if isinstance(items, list):
        found = (each[source].get("TableName") for each in items if source in each)
        names["tablename"] = tuple(dict.fromkeys(filter(None, found)))


_LOG_STREAM = ":log-stream:"


def _read_logs(call: ApiCall, names: Names, _: str) -> None:
    """Write a group as its streams are written, but where it is tagged.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    if "logstreamname" in names or call.operation in {"TagResource", "UntagResource", "ListTagsForResource"}:
        return
    groups: list[str] = []
    for name in ("loggroupname", "loggroupnames", "loggroupidentifier", "loggroupidentifiers"):
        groups += names.pop(name, ())
    start = f"arn:{get_partition(call.region)}:logs:{call.region}:{call.account}:log-group:"
    whole = (each if each.startswith("arn:") else f"{start}{each}" for each in groups)
    names["loggrouparn"] = tuple(dict.fromkeys(f"{each.removesuffix(':*')}{_LOG_STREAM}" for each in whole))


_OWN_WAYS: Mapping[str, Callable[[ApiCall, Names, str], None]] = {
    "cloudformation": find_in_cloudformation,
    "config": find_in_config,
    "dynamodb": _read_dynamodb,
    "events": _read_events,
    "iam": find_in_iam,
    "kms": find_in_kms,
    "lambda": _read_lambda,
    "logs": _read_logs,
    "organizations": find_in_organizations,
    "s3": _read_s3,
    "secretsmanager": find_in_secrets,
    "securityhub": find_in_securityhub,
    "sns": _read_sns,
    "sqs": _read_sqs,
    "ssm": _read_ssm,
}
