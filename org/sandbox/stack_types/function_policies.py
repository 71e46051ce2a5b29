"""AWS::Lambda::Permission, ResourcePolicy, EventInvokeConfig and LayerVersion."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import EventInvokeConfig as MotoConfig
from moto.awslambda.models import lambda_backends

from org.sandbox.functions.invocations import Refused, find_function
from org.sandbox.stack_types.function_code import read_code
from org.sandbox.stack_types.function_settings import check_target
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaBackend, LambdaFunction

_ACCOUNT = re.compile(r"\d{12}")
_PERMISSION = frozenset({"Action", "FunctionName", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"})
_LAYER = frozenset(
    {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo"}
)


class Permission:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html."""

    shape = Shape("AWS::Lambda::Permission", properties=_PERMISSION, replaced_by=_PERMISSION)

    def create(self, wanted: Wanted) -> Created:
        function = _function(wanted, str(wanted.properties["FunctionName"]))
        function.policy.statements.append(_statement(function, wanted))
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # never changes
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        try:
            policy = _function(wanted, str(wanted.properties["FunctionName"])).policy
        except ResourceRefused:
            return  # with its function
        policy.statements[:] = [each for each in policy.statements if each.get("Sid") != created.physical_id]

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


class ResourcePolicy:
    """The whole policy of a function, in place of what it was.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-resourcepolicy.html;
    [H]: that it takes the place of the statements of AddPermission.
    """

    shape = Shape(
        "AWS::Lambda::ResourcePolicy",
        properties=frozenset({"PolicyDocument", "ResourceArn"}),
        replaced_by=frozenset({"ResourceArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(_function(wanted, str(wanted.properties["ResourceArn"])).function_arn)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # replaced whole
        document = wanted.properties["PolicyDocument"]
        read = json.loads(document) if isinstance(document, str) else document
        statements = read["Statement"]
        policy = _function(wanted, created.physical_id).policy
        policy.statements[:] = statements if isinstance(statements, list) else [statements]
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        try:
            _function(wanted, created.physical_id).policy.statements.clear()
        except ResourceRefused:
            return  # with its function

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


class EventInvokeConfig:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html."""

    shape = Shape(
        "AWS::Lambda::EventInvokeConfig",
        properties=frozenset(
            {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
        ),
        replaced_by=frozenset({"FunctionName", "Qualifier"}),
    )

    def create(self, wanted: Wanted) -> Created:
        function = _function(wanted, str(wanted.properties["FunctionName"]))
        if wanted.properties["Qualifier"] != "$LATEST":
            raise ResourceRefused("the orgctl sandbox does not emulate versions and aliases of functions")
        if function.event_invoke_config:
            what = f"The function {function.function_name} has an event invoke config already"
            raise ResourceRefused(what)
        return Created(f"{function.function_name}|$LATEST")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # replaced whole
        function, properties = _function(wanted, created.physical_id.partition("|")[0]), wanted.properties
        destinations = properties.get("DestinationConfig", {})
        for target in (each["Destination"] for each in destinations.values()):
            check_target(function, str(target), ("lambda", "sns", "sqs"))
        config: dict[str, Any] = {"DestinationConfig": destinations}
        for name in ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
            if name in properties:
                config[name] = int(properties[name])
        function.event_invoke_config = [MotoConfig(function.function_arn, function.last_modified, config)]
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        try:
            _function(wanted, created.physical_id.partition("|")[0]).event_invoke_config = []
        except ResourceRefused:
            return  # with its function

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


class LayerVersion:
    """A layer is kept and shown, and is not on a function's path: that has the sandbox's own packages.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversion.html
    """

    shape = Shape(
        "AWS::Lambda::LayerVersion",
        properties=_LAYER,
        attributes=frozenset({"LayerVersionArn"}),
        # Its name is no name of its own, but that of all its versions: one takes the place of another.
        name_limit=140,
        replaced_by=_LAYER,
    )

    def create(self, wanted: Wanted) -> Created:
        given = {name: wanted.properties[name] for name in _LAYER if name in wanted.properties}
        code = read_code(wanted.properties["Content"], "a layer's Content")
        version = _backend(wanted).publish_layer_version({"LayerName": wanted.name, **given, "Content": code})
        return Created(version.arn)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # never changes
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        name, version = created.physical_id.split(":")[6:]
        _backend(wanted).delete_layer_version(name, version)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only one
        return created.physical_id


def _backend(wanted: Wanted) -> LambdaBackend:
    return lambda_backends[wanted.account_id][wanted.region]


def _function(wanted: Wanted, name: str) -> LambdaFunction:
    arn = f"arn:{wanted.partition}:lambda:{wanted.region}:{wanted.account_id}:function:{name}"
    try:
        return find_function(name if name.startswith("arn:") else arn)
    except (Refused, NotImplementedError) as error:
        raise ResourceRefused(str(error)) from error


def _statement(function: LambdaFunction, wanted: Wanted) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html."""
    properties, conditions = wanted.properties, {}
    if "SourceArn" in properties:
        conditions["ArnLike"] = {"AWS:SourceArn": properties["SourceArn"]}
    equals = {
        key: str(properties[name])
        for name, key in (("SourceAccount", "AWS:SourceAccount"), ("PrincipalOrgID", "aws:PrincipalOrgID"))
        if name in properties
    }
    statement = {
        "Sid": wanted.name,
        "Effect": "Allow",
        "Principal": _principal(str(properties["Principal"]), wanted.partition),
        "Action": properties["Action"],
        "Resource": function.function_arn,
    }
    conditions |= {"StringEquals": equals} if equals else {}
    return {**statement, "Condition": conditions} if conditions else statement


def _principal(given: str, partition: str) -> Any:
    if given == "*":
        return given
    if _ACCOUNT.fullmatch(given):
        return {"AWS": f"arn:{partition}:iam::{given}:root"}
    return {"AWS": given} if given.startswith("arn:") else {"Service": given}
