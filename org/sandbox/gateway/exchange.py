"""One request on its way through the front: what is known of it, as events and access logs tell it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from org.policy.request import PrincipalKind
from org.sandbox.authorization.principals import Caller
from org.sandbox.gateway.deployed import Deployed
from org.sandbox.gateway.requests import ApiRequest
from org.sandbox.gateway.routes import Route
from org.sandbox.organizations import find_organization_of


@dataclass(slots=True)
class Exchange:
    request: ApiRequest
    deployed: Deployed
    request_id: str
    trace_id: str
    begun: float
    """In seconds since 1970."""
    route: Route | None = None
    caller: Caller | None = None
    """Who signed; None where nobody was asked."""
    key_id: str = ""
    """Of the API key that was given and is good."""
    key: str = ""
    vpc_id: str = ""
    refused: str = ""
    """The gateway response type of a refusal."""
    refused_message: str = ""
    firewall: str = "-"
    """What WAF did: ALLOW, BLOCK, or nothing."""
    integration_status: str = "-"
    integration_seconds: float | None = None
    ended: float = 0.0
    status: int = 0
    length: int = 0

    @property
    def domain(self) -> str:
        deployed = self.deployed
        return f"{deployed.api.id}.execute-api.{deployed.region}.amazonaws.com"

    @property
    def is_signed(self) -> bool:
        return self.caller is not None and self.caller.principal.kind is not PrincipalKind.ANONYMOUS

    def request_context(self) -> dict[str, Any]:
        """Answer what the function is told of the request and of who sent it."""
        request, deployed, route = self.request, self.deployed, self.route
        when = datetime.fromtimestamp(self.begun, UTC)
        return {
            "resourceId": self._resource_id(),
            "resourcePath": route.method.resource if route is not None else None,
            "httpMethod": request.verb,
            "extendedRequestId": self.request_id.replace("-", "")[:15] + "=",
            "requestTime": when.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "path": f"/{deployed.stage.name}{request.path}",
            "accountId": deployed.account,
            "protocol": request.protocol,
            "stage": deployed.stage.name,
            "domainPrefix": deployed.api.id,
            "requestTimeEpoch": int(self.begun * 1000),
            "requestId": self.request_id,
            "identity": self._identity(),
            "domainName": self.domain,
            "deploymentId": deployed.stage.deployment_id,
            "apiId": deployed.api.id,
        }

    def _resource_id(self) -> str | None:
        if self.route is None:
            return None
        resources = list(self.deployed.api.resources.values())
        path = self.route.method.resource.rstrip("/") or "/"
        return next((str(each.id) for each in resources if each.get_path() == path), None)

    def _identity(self) -> dict[str, str | None]:
        caller = self.caller if self.is_signed else None
        request = self.request
        identity: dict[str, str | None] = dict.fromkeys(
            ("cognitoIdentityPoolId", "cognitoIdentityId", "cognitoAuthenticationType", "cognitoAuthenticationProvider")
        )
        identity |= {
            "accountId": None,
            "principalOrgId": None,
            "accessKey": None,
            "caller": None,
            "user": None,
            "userArn": None,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent"),
        }
        if caller is not None:
            organization = find_organization_of(caller.account, caller.partition)
            identity |= {
                "accountId": caller.account,
                "principalOrgId": str(organization.organization.id) if organization is not None else None,
                "accessKey": _key_of(request),
                "caller": caller.user_id,
                "user": caller.user_id,
                "userArn": caller.shown,
            }
        if self.key_id:
            identity |= {"apiKey": self.key, "apiKeyId": self.key_id}
        if request.endpoint:
            identity |= {"vpceId": request.endpoint, "vpcId": self.vpc_id}
        return identity

    def variables(self) -> Mapping[str, str]:
        """Answer the `$context` variables that have a value, without the prefix."""
        context = self.request_context()
        identity = context.pop("identity")
        found: dict[str, Any] = {**context, **{f"identity.{name}": value for name, value in identity.items()}}
        found |= {
            "status": self.status or None,
            "responseLength": self.length if self.status else None,
            "responseLatency": _millis(self.ended - self.begun if self.ended else None),
            "integrationLatency": _millis(self.integration_seconds),
            "integration.latency": _millis(self.integration_seconds),
            "integration.requestId": self.request_id if self.integration_seconds is not None else None,
            "integration.status": self.integration_status,
            "integrationStatus": self.integration_status,
            "error.responseType": self.refused,
            "error.message": self.refused_message,
            "webaclArn": self.deployed.stage.web_acl_arn,
            "wafResponseCode": f"WAF_{self.firewall}" if self.firewall != "-" else None,
            "xrayTraceId": self.trace_id if self.deployed.stage.tracing_enabled else None,
        }
        return {name: str(value) for name, value in found.items() if value not in (None, "")}


def _key_of(request: ApiRequest) -> str:
    return request.headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]


def _millis(seconds: float | None) -> int | None:
    return round(seconds * 1000) if seconds is not None else None
