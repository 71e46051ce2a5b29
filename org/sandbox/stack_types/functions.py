"""AWS::Lambda::Function and EventSourceMapping."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends
from moto.s3.models import s3_backends

from org.sandbox.event_buses import find_queue
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.awslambda.models import EventSourceMapping as MotoMapping
    from moto.awslambda.models import LambdaBackend

_SETTINGS = {
    "Description": "",
    "Environment": {},
    "Handler": None,
    "KmsKeyArn": None,
    "LoggingConfig": {},
    "MemorySize": 128,
    "Role": None,
    "Runtime": None,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}


class Function:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html."""

    shape = Shape(
        "AWS::Lambda::Function",
        properties=frozenset({*_SETTINGS, "Architectures", "Code", "FunctionName", "Tags"}),
        attributes=frozenset({"Arn"}),
        name_property="FunctionName",
        name_limit=64,
    )

    def create(self, wanted: Wanted) -> Created:
        backend, properties = _backend(wanted), wanted.properties
        if any(each.function_name == wanted.name for each in backend.list_functions()):
            raise ResourceRefused(f"Function already exist: {wanted.name}")
        backend.create_function(
            {
                "Architectures": properties.get("Architectures", ["x86_64"]),
                "Code": _code(wanted),
                "FunctionName": wanted.name,
                "Role": properties["Role"],
                "Runtime": properties["Runtime"],
            }
        )
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, properties = _backend(wanted), wanted.properties
        function = backend.get_function(created.physical_id)
        if old is not None and old.properties["Code"] != properties["Code"]:
            function.update_function_code(_code(wanted))
        settings = {name: properties.get(name, default) for name, default in _SETTINGS.items()}
        variables = settings["Environment"].get("Variables", {})
        if not all(isinstance(value, str) for value in variables.values()):
            raise ResourceRefused("Properties validation failed: Environment/Variables must be texts")
        function.description = settings["Description"]
        function.environment_vars = dict(variables)
        function.handler = settings["Handler"]
        function.kms_key_arn = settings["KmsKeyArn"]
        function.memory_size = int(settings["MemorySize"])
        function.role = settings["Role"]
        function.run_time = settings["Runtime"]
        function.timeout = int(settings["Timeout"])
        function.tracing_config = settings["TracingConfig"]
        function.architectures = properties.get("Architectures", ["x86_64"])
        function.logs_group_name = settings["LoggingConfig"].get("LogGroup", f"/aws/lambda/{wanted.name}")
        backend.tag_resource(function.function_arn, wanted.tags)
        backend.untag_resource(function.function_arn, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_function(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Arn
        return _backend(wanted).get_function(created.physical_id).function_arn


class EventSourceMapping:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html."""

    shape = Shape(
        "AWS::Lambda::EventSourceMapping",
        properties=frozenset(
            {
                "BatchSize",
                "Enabled",
                "EventSourceArn",
                "FunctionName",
                "FunctionResponseTypes",
                "MaximumBatchingWindowInSeconds",
                "ScalingConfig",
            }
        ),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset({"EventSourceArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        properties = wanted.properties
        if find_queue(str(properties["EventSourceArn"])) is None:
            raise ResourceRefused(f"there is no queue {properties['EventSourceArn']}")
        spec = {name: properties[name] for name in ("EventSourceArn", "FunctionName")}
        mapping = _backend(wanted).create_event_source_mapping(dict(spec))
        queue = find_queue(mapping.event_source_arn)
        assert queue is not None
        # moto would call the function itself, in the middle of whoever sends.
        queue.lambda_event_source_mappings.clear()
        return Created(str(mapping.uuid))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # no old parts
        properties, mapping = wanted.properties, _mapping(created, wanted)
        mapping.batch_size = int(properties.get("BatchSize", 10))
        mapping.enabled = properties.get("Enabled", True) in (True, "true")
        mapping.function_response_types = properties.get("FunctionResponseTypes", [])
        mapping.max_batch_window = properties.get("MaximumBatchingWindowInSeconds")
        mapping.scaling_config = properties.get("ScalingConfig")
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_event_source_mapping(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


def _backend(wanted: Wanted) -> LambdaBackend:
    return lambda_backends[wanted.account_id][wanted.region]


def _mapping(created: Created, wanted: Wanted) -> MotoMapping:
    found = _backend(wanted).get_event_source_mapping(created.physical_id)
    if found is None:
        raise ResourceRefused(f"there is no event source mapping {created.physical_id}")
    return found


def _code(wanted: Wanted) -> dict[str, Any]:
    """Only code in S3 is taken, and it must be there: moto would take an empty function for want of it."""
    code = wanted.properties["Code"]
    if set(code) != {"S3Bucket", "S3Key"}:
        raise ResourceRefused("the orgctl sandbox takes a function's Code by S3Bucket and S3Key alone")
    bucket, key = str(code["S3Bucket"]), str(code["S3Key"])
    owner = s3_backends.bucket_accounts.get(bucket)
    found = s3_backends[owner[1]][owner[0]].get_object(bucket, key) if owner is not None else None
    if found is None:
        what = "NoSuchKey. S3 Error Message: The specified key does not exist."
        raise ResourceRefused(f"Error occurred while GetObject. S3 Error Code: {what} ({bucket}/{key})")
    return {"ZipFile": base64.b64encode(found.value).decode()}
