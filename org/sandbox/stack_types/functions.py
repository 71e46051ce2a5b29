"""AWS::Lambda::Function and EventSourceMapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends

from org.sandbox.deliveries import find_queue
from org.sandbox.functions.configuration import set_dead_letters
from org.sandbox.stack_types.function_code import read_code
from org.sandbox.stack_types.function_settings import check_network, check_target, read_environment
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.awslambda.models import EventSourceMapping as MotoMapping
    from moto.awslambda.models import LambdaBackend, LambdaFunction

_SETTINGS: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {},
    "EphemeralStorage": {},
    "Handler": None,
    "KmsKeyArn": None,
    "Layers": [],
    "LoggingConfig": {},
    "MemorySize": 128,
    "RecursiveLoop": "Terminate",
    "ReservedConcurrentExecutions": None,
    "Role": None,
    "Runtime": None,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {},
}
_CODE = "a function's Code"


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
                "Code": read_code(properties["Code"], _CODE),
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
            function.update_function_code(read_code(properties["Code"], _CODE))
        settings = {name: properties.get(name, default) for name, default in _SETTINGS.items()}
        function.description = settings["Description"]
        function.environment_vars = read_environment(settings["Environment"])
        function.handler = settings["Handler"]
        function.kms_key_arn = settings["KmsKeyArn"]
        function.memory_size = int(settings["MemorySize"])
        function.role = settings["Role"]
        function.run_time = settings["Runtime"]
        function.timeout = int(settings["Timeout"])
        function.tracing_config = settings["TracingConfig"]
        function.architectures = properties.get("Architectures", ["x86_64"])
        _configure_running(function, wanted, settings)
        function.logs_group_name = settings["LoggingConfig"].get("LogGroup", f"/aws/lambda/{wanted.name}")
        backend.tag_resource(function.function_arn, wanted.tags)
        backend.untag_resource(function.function_arn, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_function(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Arn
        return _backend(wanted).get_function(created.physical_id).function_arn


def _configure_running(function: LambdaFunction, wanted: Wanted, settings: Mapping[str, Any]) -> None:
    if settings["RecursiveLoop"] != "Terminate":
        raise ResourceRefused(f"the orgctl sandbox does not emulate the RecursiveLoop {settings['RecursiveLoop']}")
    dead, network = settings["DeadLetterConfig"], settings["VpcConfig"]
    if dead.get("TargetArn"):
        check_target(function, str(dead["TargetArn"]), ("sns", "sqs"))
    if network:
        check_network(function, wanted, network)
    reserved = settings["ReservedConcurrentExecutions"]
    set_dead_letters(function, dead)
    function._vpc_config = dict(network) or None
    function.ephemeral_storage = int(settings["EphemeralStorage"].get("Size", 512))
    function.reserved_concurrency = int(reserved) if reserved is not None else None
    function.layers = [_layer(str(arn)) for arn in settings["Layers"]]


def _layer(arn: str) -> Any:
    """Answer what a function shows of a layer, which may be another account's; raises where there is none."""
    parts = arn.split(":")
    known = len(parts) == 8 and parts[4] in lambda_backends and parts[3] in lambda_backends[parts[4]]
    found = lambda_backends[parts[4]][parts[3]].layers_versions_by_arn(arn) if known else None
    if found is None:
        raise ResourceRefused(f"Layer version {arn} does not exist.")
    return {"Arn": found.arn, "CodeSize": found.code_size}


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
        return Created(str(_backend(wanted).create_event_source_mapping(dict(spec)).uuid))

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
