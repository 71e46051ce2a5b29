"""AWS::ApiGateway::Stage."""

from __future__ import annotations

import re
from typing import Any

from moto.apigateway.models import Stage as MotoStage

from org.sandbox.stack_types.api_gateway import backend_of, find_api
from org.sandbox.stack_types.interface import Created, Properties, ResourceRefused, Shape, Wanted

_STAGE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SETTINGS = {
    "DataTraceEnabled": "dataTraceEnabled",
    "LoggingLevel": "loggingLevel",
    "MetricsEnabled": "metricsEnabled",
    "ThrottlingBurstLimit": "throttlingBurstLimit",
    "ThrottlingRateLimit": "throttlingRateLimit",
}
_NUMBERS = {"ThrottlingBurstLimit": int, "ThrottlingRateLimit": float}


class Stage:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html."""

    shape = Shape(
        "AWS::ApiGateway::Stage",
        properties=frozenset(
            {
                "AccessLogSetting",
                "DeploymentId",
                "Description",
                "MethodSettings",
                "RestApiId",
                "StageName",
                "Tags",
                "TracingEnabled",
                "Variables",
            }
        ),
        name_property="StageName",
        name_limit=128,
        replaced_by=frozenset({"RestApiId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        api, properties = find_api(wanted, wanted.properties["RestApiId"]), wanted.properties
        if not _STAGE.fullmatch(wanted.name):
            raise ResourceRefused("Stage name only allows a-zA-Z0-9_-")
        if wanted.name in api.stages:
            raise ResourceRefused("Stage already exists")
        api.stages[wanted.name] = MotoStage(wanted.name, properties["DeploymentId"])
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        properties = wanted.properties
        api = find_api(wanted, properties["RestApiId"])
        stage = api.stages[created.physical_id]
        if properties["DeploymentId"] not in api.deployments:
            raise ResourceRefused("Deployment id does not exist")
        log = properties.get("AccessLogSetting")
        settings = properties.get("MethodSettings", [])
        logs = bool(log) or any(each.get("LoggingLevel", "OFF") != "OFF" for each in settings)
        if logs and not backend_of(wanted).account.cloudwatch_role_arn:
            raise ResourceRefused("CloudWatch Logs role ARN must be set in account settings to enable logging")
        stage.access_log_settings = (
            {"destinationArn": log["DestinationArn"], "format": log["Format"].strip()} if log else None
        )
        stage.deployment_id = properties["DeploymentId"]
        stage.description = properties.get("Description", "")
        stage.method_settings = dict(map(_method_setting, settings))
        stage.tags = wanted.tags
        stage.tracing_enabled = properties.get("TracingEnabled") in (True, "true")
        stage.variables = {name: str(value) for name, value in properties.get("Variables", {}).items()}
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        api = backend_of(wanted).apis.get(wanted.properties["RestApiId"])
        if api is not None:
            api.stages.pop(created.physical_id, None)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


def _method_setting(given: Properties) -> tuple[str, dict[str, Any]]:
    """Answer the setting under the key that GetStage shows: `*/*`, `~1images/GET`."""
    unknown = sorted(set(given) - set(_SETTINGS) - {"HttpMethod", "ResourcePath"})
    if unknown:
        raise ResourceRefused(f"the orgctl sandbox does not emulate the method setting {', '.join(unknown)}")
    path = str(given["ResourcePath"])
    named = "*" if path == "/*" else path.removeprefix("/") if "~1" in path else path.replace("/", "~1")
    values = {
        shown: _NUMBERS.get(name, _plain)(given[name])
        for name, shown in _SETTINGS.items()
        if given.get(name) is not None
    }
    return f"{named}/{given['HttpMethod']}", values


def _plain(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value
