"""AWS::ApiGateway::RestApi, Deployment, Account and GatewayResponse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import Deployment as MotoDeployment
from moto.apigateway.models import apigateway_backends
from moto.apigateway.utils import ApigwDeploymentIdentifier

from org.sandbox.gateway.deployed import DOCUMENT, POLICY, SNAPSHOT, take_snapshot
from org.sandbox.gateway.document import Document, Unusable, read_document
from org.sandbox.gateway.records import record_document
from org.sandbox.gateway.refusals import DEFAULTS
from org.sandbox.stack_types.interface import Created, Properties, ResourceRefused, Shape, Wanted

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend
    from moto.apigateway.models import RestAPI as MotoApi

_TYPES = frozenset({"REGIONAL", "PRIVATE"})


class RestApi:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html."""

    shape = Shape(
        "AWS::ApiGateway::RestApi",
        properties=frozenset(
            {
                "ApiKeySourceType",
                "BinaryMediaTypes",
                "Body",
                "Description",
                "DisableExecuteApiEndpoint",
                "EndpointConfiguration",
                "FailOnWarnings",
                "MinimumCompressionSize",
                "Name",
                "Policy",
                "Tags",
            }
        ),
        attributes=frozenset({"RestApiId", "RootResourceId"}),
        name_property="Name",
    )

    def create(self, wanted: Wanted) -> Created:
        document = _read(wanted)
        api = backend_of(wanted).create_rest_api(wanted.name, "")
        setattr(api, DOCUMENT, document)
        return Created(str(api.id))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        properties, api, document = wanted.properties, find_api(wanted, created.physical_id), _read(wanted)
        endpoint = properties.get("EndpointConfiguration", {})
        own = document.endpoint.get("vpcEndpointIds", ())
        api.name, api.description = wanted.name, properties.get("Description", "")
        api.endpoint_configuration = {
            "types": _endpoint_types(endpoint),
            "vpcEndpointIds": list(endpoint.get("VpcEndpointIds", own)),
        }
        api.api_key_source = properties.get("ApiKeySourceType", document.key_source)
        if api.api_key_source != "HEADER":
            raise ResourceRefused("the orgctl sandbox takes API keys out of the header alone")
        api.binaryMediaTypes = list(properties.get("BinaryMediaTypes", document.binary_types))
        api.disableExecuteApiEndpoint = properties.get("DisableExecuteApiEndpoint") in (True, "true")
        api.minimum_compression_size = properties.get("MinimumCompressionSize", document.compression)
        api.tags = wanted.tags
        setattr(api, DOCUMENT, document)
        setattr(api, POLICY, properties.get("Policy"))
        api.policy = take_snapshot(wanted.account_id, wanted.region, api).policy or None
        record_document(api, document)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        backend_of(wanted).delete_rest_api(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        return created.physical_id if name == "RestApiId" else find_api(wanted, created.physical_id).root_resource_id


class Deployment:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html."""

    shape = Shape(
        "AWS::ApiGateway::Deployment",
        properties=frozenset({"Description", "RestApiId"}),
        attributes=frozenset({"DeploymentId"}),
        replaced_by=frozenset({"RestApiId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        api = find_api(wanted, wanted.properties["RestApiId"])
        if not vars(api)[DOCUMENT].methods:
            raise ResourceRefused("The REST API doesn't contain any methods")
        identifier = ApigwDeploymentIdentifier(wanted.account_id, wanted.region, stage_name="")
        id = str(identifier.generate(list(api.deployments)))
        deployment = MotoDeployment(  # type: ignore[abstract]  # moto makes it so itself
            id, "", str(wanted.properties.get("Description", ""))
        )
        setattr(deployment, SNAPSHOT, take_snapshot(wanted.account_id, wanted.region, api))
        api.deployments[id] = deployment
        return Created(id)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        deployment = find_api(wanted, wanted.properties["RestApiId"]).deployments[created.physical_id]
        deployment.description = str(wanted.properties.get("Description", ""))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        api = backend_of(wanted).apis.get(wanted.properties["RestApiId"])
        if api is None:
            return
        if any(stage.deployment_id == created.physical_id for stage in api.stages.values()):
            raise ResourceRefused("Active stages pointing to this deployment must be moved or deleted")
        api.deployments.pop(created.physical_id, None)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002 # there is only its id
        return created.physical_id


class Account:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html."""

    shape = Shape("AWS::ApiGateway::Account", properties=frozenset({"CloudWatchRoleArn"}), attributes=frozenset({"Id"}))

    def create(self, wanted: Wanted) -> Created:
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        backend_of(wanted).account.cloudwatch_role_arn = wanted.properties.get("CloudWatchRoleArn")
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        """Leave the account's setting as it is, as AWS does."""

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


class GatewayResponse:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html."""

    shape = Shape(
        "AWS::ApiGateway::GatewayResponse",
        properties=frozenset({"ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"}),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset({"ResponseType", "RestApiId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        kind = str(wanted.properties["ResponseType"])
        if kind not in {*DEFAULTS, "DEFAULT_4XX", "DEFAULT_5XX"}:
            raise ResourceRefused(f"the orgctl sandbox does not emulate the gateway response {kind}")
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        properties = wanted.properties
        find_api(wanted, properties["RestApiId"]).put_gateway_response(
            str(properties["ResponseType"]),
            properties.get("StatusCode"),  # type: ignore[arg-type]  # moto leaves it out where there is none
            dict(properties.get("ResponseParameters", {})),
            dict(properties.get("ResponseTemplates", {})),
        )
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # it is known by its type
        api = backend_of(wanted).apis.get(wanted.properties["RestApiId"])
        if api is not None:
            api.delete_gateway_response(str(wanted.properties["ResponseType"]))

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


def backend_of(wanted: Wanted) -> APIGatewayBackend:
    return apigateway_backends[wanted.account_id][wanted.region]


def find_api(wanted: Wanted, id: str) -> MotoApi:
    found = backend_of(wanted).apis.get(id)
    if found is None or DOCUMENT not in vars(found):
        raise ResourceRefused("Invalid API identifier specified")
    return found


def _read(wanted: Wanted) -> Document:
    body = wanted.properties.get("Body")
    if not isinstance(body, Mapping):
        raise ResourceRefused("the orgctl sandbox takes a RestApi by its Body alone, as an object")
    try:
        return read_document(body)
    except Unusable as error:
        raise ResourceRefused(f"Errors found during import: {error}") from error


def _endpoint_types(endpoint: Properties) -> list[str]:
    types = list(endpoint.get("Types", ["EDGE"]))
    if len(types) != 1 or types[0] not in _TYPES:
        raise ResourceRefused(f"the orgctl sandbox takes one endpoint type of {', '.join(sorted(_TYPES))}")
    return types
