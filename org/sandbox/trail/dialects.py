"""`requestParameters` and `responseElements`, in the ways in which CloudTrail writes them, by botocore's models.

EC2's classic way follows its old SOAP names: `RunInstances` is documented whole
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html), `CreateTags`,
`ModifyImageAttribute`, `ModifySnapshotAttribute` and `TerminateInstances` are known from published events; the rest
follows by the same rules [H].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from org.sandbox.authorization.requests import ReadRequest
from org.sandbox.trail.calls import Dialect
from org.sandbox.trail.clock import written

REMOVED = "<sensitiveDataRemoved>"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What Systems Manager writes for a parameter's value, also of type String [H]."""

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_SENSITIVE = frozenset({"UserData"})

Members = dict[str, Any]
Rows = Callable[[str, Shape, list[Any]], Any]
"""How a list is written, given the name of the member, the shape of its rows, and the rows themselves."""

_CLASSIC_LISTS = {"InstanceId": "instancesSet", "ResourceId": "resourcesSet", "SecurityGroupId": "groupSet"}
_CLASSIC_ROWS = {"SecurityGroupId": "groupId"}


def write_request(read: ReadRequest, dialect: Dialect) -> Members | None:
    """Answer `requestParameters`."""
    shape = read.operation.input_shape
    given = {name: value for name, value in read.call.parameters.items() if value is not None}
    if not isinstance(shape, StructureShape):
        return None
    if dialect is Dialect.NESTED:
        return {f"{read.call.operation}Request": _pascal(shape, given)}
    if dialect is Dialect.PLAIN:
        plain = _plain(shape, given)
        return {**plain, "value": HIDDEN} if read.call.service == "ssm" and "value" in plain else plain
    classic = _classic(shape, given)
    arrange = _ARRANGED.get(read.call.operation)
    return arrange(classic) if arrange else classic


def write_response(read: ReadRequest, dialect: Dialect, answer: Mapping[str, Any], request_id: str) -> Members | None:
    """Answer `responseElements` of a call that went well; `answer` is what botocore makes of it."""
    shape = read.operation.output_shape
    said = {name: value for name, value in answer.items() if name != "ResponseMetadata" and value is not None}
    if dialect is Dialect.PLAIN:
        return _plain(shape, said) or None if isinstance(shape, StructureShape) else None
    written = _of_xml(shape, said, dialect) if isinstance(shape, StructureShape) else {}
    if dialect is Dialect.NESTED:
        head = {"xmlns": _NAMESPACE, "requestId": request_id}
        return {f"{read.call.operation}Response": {**head, **written}}
    for row in written.get("instancesSet", {}).get("items", ()) if read.call.operation == "RunInstances" else ():
        # Instances have no volumes yet when EC2 answers.
        row["blockDeviceMapping"] = {}
    done = written.pop("return", True)
    return {"requestId": request_id, **(written or {"_return": done})}


# --- requests


def _pascal(shape: StructureShape, given: Mapping[str, Any]) -> Members:
    """Write members by their names in EC2's Query API."""
    return {
        _query_name(name, shape.members[name]): _pascal_value(name, shape.members[name], value)
        for name, value in given.items()
        if name in shape.members
    }


def _pascal_value(name: str, shape: Shape, value: Any) -> Any:
    if name in _SENSITIVE:
        return REMOVED
    if isinstance(shape, StructureShape):
        return _pascal(shape, value)
    if isinstance(shape, ListShape):
        inner = shape.member
        rows = [
            {**_pascal(inner, each), "tag": place} if isinstance(inner, StructureShape) else _content(each, place)
            for place, each in enumerate(value, 1)
        ]
        return rows[0] if len(rows) == 1 else rows
    return _scalar(value)


def _content(value: Any, place: int) -> Members:
    return {"content": _scalar(value), "tag": place}


def _classic(shape: StructureShape, given: Mapping[str, Any]) -> Members:
    members: Members = {}
    for name, value in given.items():
        if name not in shape.members:
            continue
        query, inner = _query_name(name, shape.members[name]), shape.members[name]
        if name in _SENSITIVE:
            members[_lower(query)] = REMOVED
        elif isinstance(inner, StructureShape):
            members[_lower(query)] = _classic(inner, value)
        elif isinstance(inner, ListShape):
            members[_CLASSIC_LISTS.get(query, _lower(query))] = {"items": _classic_rows(query, inner.member, value)}
        else:
            members[_lower(query)] = _scalar(value)
    if "tagSpecification" in members:
        # Inside of it, and nowhere else, lists are as JSON has them.
        rows = members.pop("tagSpecification")["items"]
        members["tagSpecificationSet"] = {"items": [_with_tags(**row) for row in rows]}
    return members


def _with_tags(tag: Mapping[str, Any] | None = None, **row: Any) -> Members:
    return {**row, "tags": (tag or {}).get("items", [])}


def _classic_rows(query: str, shape: Shape, rows: Iterable[Any]) -> list[Members]:
    if isinstance(shape, StructureShape):
        return [_classic(shape, each) for each in rows]
    name = _CLASSIC_ROWS.get(query, _lower(query))
    return [{name: _scalar(each)} for each in rows]


def _arrange_launch(members: Members) -> Members:
    row = {name: members.pop(name) for name in ("imageId", "keyName", "minCount", "maxCount") if name in members}
    return {"instancesSet": {"items": [row]}, **members}


def _arrange_tags(members: Members) -> Members:
    tags = members.pop("tag", {"items": []})
    return {**members, "tagSet": tags}


def _arrange_sharing(permission: str, attribute: str) -> Callable[[Members], Members]:
    """Write all ways of giving permissions as one, which is how published events have them.

    [H]: those that were given by `OperationType` as well.
    """

    def arrange(members: Members) -> Members:
        operation = members.pop("operationType", None)
        named = [
            row
            for name in ("userId", "userGroup", "organizationArn", "organizationalUnitArn")
            for row in members.pop(name, {"items": []})["items"]
        ]
        rows = [{"group" if key == "userGroup" else key: value for key, value in row.items()} for row in named]
        if rows and operation:
            members = {**members, permission: {operation: {"items": rows}}}
        given = members.pop("attribute", None)
        if permission in members:
            return {**members, "attributeType": attribute}
        return {**members, "attributeType": given} if given else members

    return arrange


_ARRANGED: Mapping[str, Callable[[Members], Members]] = {
    "CreateTags": _arrange_tags,
    "DeleteTags": _arrange_tags,
    "ModifyImageAttribute": _arrange_sharing("launchPermission", "launchPermission"),
    "ModifySnapshotAttribute": _arrange_sharing("createVolumePermission", "CREATE_VOLUME_PERMISSION"),
    "RunInstances": _arrange_launch,
}


def _plain(shape: StructureShape, given: Mapping[str, Any]) -> Members:
    return {
        _lower(name): REMOVED if name in _SENSITIVE else _plain_value(shape.members[name], value)
        for name, value in given.items()
        if name in shape.members
    }


def _plain_value(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return _plain(shape, value)
    if isinstance(shape, ListShape):
        return [_plain_value(shape.member, each) for each in value]
    return _scalar(value)


# --- answers, by their names in XML


def _of_xml(shape: StructureShape, said: Mapping[str, Any], dialect: Dialect) -> Members:
    return {
        shape.members[name].serialization.get("name", _lower(name)): (
            REMOVED if name in _SENSITIVE else _of_xml_value(shape.members[name], value, dialect)
        )
        for name, value in said.items()
        if name in shape.members and value is not None
    }


def _of_xml_value(shape: Shape, value: Any, dialect: Dialect) -> Any:
    if isinstance(shape, StructureShape):
        return _of_xml(shape, value, dialect)
    if isinstance(shape, ListShape):
        rows = [_of_xml_value(shape.member, each, dialect) for each in value]
        if dialect is Dialect.CLASSIC:
            return {"items": rows} if rows else {}
        return "" if not rows else {"item": rows[0] if len(rows) == 1 else rows}
    return _scalar(value, classic=dialect is Dialect.CLASSIC)


def _query_name(name: str, shape: Shape) -> str:
    named = shape.serialization.get("queryName") or shape.serialization.get("name") or name
    return str(named[0].upper() + named[1:])


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _scalar(value: Any, *, classic: bool = False) -> Any:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000) if classic else written(moment)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
