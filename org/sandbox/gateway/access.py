"""Whether a caller may invoke a method: identity policies, the API's resource policy, SCPs and RCPs together.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import re

from moto.ec2.models import ec2_backends

from org.policy.request import ContextValue
from org.sandbox.authorization.decide import require
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.principals import caller_of
from org.sandbox.gateway.deployed import Deployed
from org.sandbox.gateway.document import COGNITO, IAM
from org.sandbox.gateway.exchange import Exchange
from org.sandbox.gateway.refusals import Refused
from org.sandbox.gateway.signature import verify

_ACCOUNT = re.compile(r"(arn:[\w-]+:execute-api:[\w-]*:)\d{8}(\d{4}:)")


def admit(exchange: Exchange, now: float) -> None:
    """Find out who calls, and raise Refused unless they may.

    Raises NotImplementedError for a token of Cognito, whose user pools the sandbox does not ask.
    """
    deployed, route = exchange.deployed, exchange.route
    assert route is not None
    if route.method.authorization == COGNITO:
        if not exchange.request.headers.get("authorization"):
            raise Refused("UNAUTHORIZED", "Unauthorized")
        raise NotImplementedError("tokens of Cognito user pools")
    if route.method.authorization == IAM:
        exchange.caller = verify(exchange.request, deployed.region, now)
    elif not deployed.snapshot.policy and not deployed.is_private:
        return
    _authorize(exchange)


def _authorize(exchange: Exchange) -> None:
    deployed, request = exchange.deployed, exchange.request
    caller = exchange.caller or caller_of("", deployed.region)
    check = Check("execute-api:Invoke", deployed.resource(request.verb, request.path), deployed.account)
    if deployed.is_private and not deployed.snapshot.policy:
        # Nobody reaches a private API without a resource policy, whatever their own policies say.
        raise _denied(
            f"User: {caller.shown} is not authorized to perform: {check.action} on resource: {check.resource}"
        )
    try:
        require(caller, (check,), deployed.region, _keys_of_http(exchange))
    except Denied as denied:
        raise _denied(denied.message) from denied


def _denied(message: str) -> Refused:
    """AWS does not show a stranger the whole number of the account."""
    return Refused("ACCESS_DENIED", _ACCOUNT.sub(r"\1********\2", message))


def _keys_of_http(exchange: Exchange) -> dict[str, ContextValue]:
    """Answer the condition keys that follow from the way that the request took.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html
    """
    request = exchange.request
    keys: dict[str, ContextValue] = {
        "aws:useragent": request.headers.get("user-agent") or None,
        "aws:referer": request.headers.get("referer") or None,
    }
    if not exchange.deployed.is_private:
        return {**keys, "aws:sourceip": request.source_ip}
    here = {"aws:sourcevpce": request.endpoint, "aws:sourcevpc": exchange.vpc_id, "aws:vpcsourceip": request.source_ip}
    return {**keys, **here, "aws:sourceip": None}


def find_vpc(deployed: Deployed, endpoint: str) -> str:
    """Answer the VPC of an interface endpoint for API Gateway in the API's Region, of any account; empty: none."""
    for regions in list(ec2_backends.values()):
        found = regions[deployed.region].vpc_end_points.get(endpoint) if deployed.region in regions else None
        if found is not None and str(found.service_name).endswith(".execute-api"):
            return str(found.vpc_id)
    return ""
