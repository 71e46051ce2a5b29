"""What stands at a URL: an API's stage with the deployment that it shows, kept beside moto's own record of them.

A deployment is the API as it was when it was made, its policy too: what changes later shows with the next one.
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends
from moto.utilities.utils import get_partition

from org.sandbox.gateway.document import Document, Method

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend, RestAPI, Stage

DOCUMENT = "sandbox_document"
"""The attribute of moto's API that holds what its Body says."""
POLICY = "sandbox_policy"
"""The attribute of moto's API that holds its resource policy, as its resource gives it."""
SNAPSHOT = "sandbox_snapshot"
"""The attribute of moto's deployment that holds its `Snapshot`."""

_SHORT = re.compile(r"execute-api:/")


@dataclass(frozen=True, slots=True)
class Snapshot:
    document: Document
    policy: str
    """Empty: there is none."""
    gateway_responses: Mapping[str, Mapping[str, Any]]
    binary_types: tuple[str, ...]
    compression: int | None
    """From how many bytes on answers are compressed."""
    is_disabled: bool
    """Whether the API's own name is switched off."""


@dataclass(frozen=True, slots=True)
class Deployed:
    account: str
    region: str
    partition: str
    api: RestAPI
    stage: Stage
    snapshot: Snapshot

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self.api.endpoint_configuration["types"])

    @property
    def is_private(self) -> bool:
        return "PRIVATE" in self.types

    @property
    def backend(self) -> APIGatewayBackend:
        return apigateway_backends[self.account][self.region]

    @property
    def arn(self) -> str:
        """What WAF knows the stage by."""
        return f"arn:{self.partition}:apigateway:{self.region}::/restapis/{self.api.id}/stages/{self.stage.name}"

    def resource(self, verb: str, path: str) -> str:
        """Answer the ARN that is asked for: `arn:aws:execute-api:…:API/STAGE/GET/images/ami-1`."""
        start = f"arn:{self.partition}:execute-api:{self.region}:{self.account}:{self.api.id}"
        return f"{start}/{self.stage.name}/{verb}/{path.lstrip('/')}"

    def settings(self, method: Method) -> Mapping[str, Any]:
        """Answer the stage's settings for a method, the nearest over those for all."""
        path = method.resource.replace("/", "~1")
        found: dict[str, Any] = {}
        for key in ("*/*", f"{path}/*", f"*/{method.verb}", f"{path}/{method.verb}"):
            found |= self.stage.method_settings.get(key, {})
        return found


def find_deployed(api_id: str, stage: str) -> Deployed | None:
    """Answer the stage that stands at the URL, whoseever the API is."""
    for account, region, api in _apis():
        if api.id == api_id:
            found = api.stages.get(stage)
            deployment = api.deployments.get(str(found.deployment_id)) if found is not None else None
            snapshot = getattr(deployment, SNAPSHOT, None)
            if found is None or snapshot is None:
                return None
            return Deployed(account, region, str(get_partition(region)), api, found, snapshot)
    return None


def find_policy(api_id: str, stage: str) -> str:
    """Answer the resource policy that is in force at the stage; empty where there is none."""
    found = find_deployed(api_id, stage)
    return found.snapshot.policy if found is not None else ""


def take_snapshot(account: str, region: str, api: RestAPI) -> Snapshot:
    document: Document = vars(api)[DOCUMENT]
    policy = vars(api).get(POLICY) or document.policy
    written = policy if isinstance(policy, str) else json.dumps(policy) if policy else ""
    # The short form of the API's own resources.
    whole = f"arn:{get_partition(region)}:execute-api:{region}:{account}:{api.id}/"
    own = {
        name: {
            "statusCode": each.status_code,
            "responseParameters": each.response_parameters,
            "responseTemplates": each.response_templates,
        }
        for name, each in api.gateway_responses.items()
    }
    return Snapshot(
        document,
        _SHORT.sub(whole, written),
        {**document.gateway_responses, **own},
        tuple(api.binaryMediaTypes),
        None if api.minimum_compression_size is None else int(api.minimum_compression_size),
        bool(api.disableExecuteApiEndpoint),
    )


def _apis() -> Iterator[tuple[str, str, RestAPI]]:
    for account, regions in list(apigateway_backends.items()):
        for region, backend in list(regions.items()):
            for api in backend.apis.values():
                yield account, region, api
