"""API keys, usage plans and throttles, in the order in which API Gateway applies them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from org.sandbox.gateway.exchange import Exchange
from org.sandbox.gateway.limits import Limits
from org.sandbox.gateway.refusals import Refused

if TYPE_CHECKING:
    from moto.apigateway.models import UsagePlan


def throttle(exchange: Exchange, limits: Limits, now: float) -> None:
    """Raise Refused for a key that is missing or no good, and where a rate or a quota is used up.

    A setting of the stage for all methods counts for each of them alone [H].
    """
    deployed, route = exchange.deployed, exchange.route
    assert route is not None
    own = (deployed.api.id, str(deployed.stage.name))
    method = f"{route.method.resource}/{route.method.verb}"
    if route.method.needs_key:
        plan, stage = _plan_of(exchange)
        client = (*own, exchange.key_id, plan.id)
        _take(limits, ("plan-method", *client, method), stage.get("throttle", {}).get(method, {}), now)
        _take(limits, ("plan", *client), plan.throttle, now)
    settings = deployed.settings(route.method)
    named = {"rateLimit": settings.get("throttlingRateLimit"), "burstLimit": settings.get("throttlingBurstLimit")}
    _take(limits, ("method", *own, method), named, now)
    _take(limits, ("account", deployed.account, deployed.region), deployed.backend.account.throttle_settings, now)
    if route.method.needs_key and plan.quota:
        period, limit = str(plan.quota["period"]), int(plan.quota["limit"])
        if not limits.use(("quota", exchange.key_id, plan.id), limit, period, now):
            raise Refused("QUOTA_EXCEEDED", "Limit Exceeded")


def _take(limits: Limits, key: tuple[str, ...], named: Mapping[str, Any], now: float) -> None:
    rate: Any = named.get("rateLimit")
    burst: Any = named.get("burstLimit")
    if rate is None and burst is None:
        return
    # Where one alone is given, the other is as large.
    each, most = float(burst if rate is None else rate), float(rate if burst is None else burst)
    if not limits.take(key, each, most, now):
        raise Refused("THROTTLED", "Too Many Requests")


def _plan_of(exchange: Exchange) -> tuple[UsagePlan, Mapping[str, Any]]:
    """Answer the usage plan that the key has for the stage, with the plan's settings for it."""
    deployed = exchange.deployed
    backend, stage = deployed.backend, str(deployed.stage.name)
    given = exchange.request.headers.get("x-api-key", "")
    key = next((each for each in backend.keys.values() if given and each.value == given and each.enabled), None)
    if key is not None:
        for plan in backend.get_usage_plans(key.id):
            for each in plan.api_stages:
                if (each["apiId"], each["stage"]) == (deployed.api.id, stage):
                    exchange.key_id, exchange.key = key.id, given
                    return plan, each
    raise Refused("INVALID_API_KEY", "Forbidden")
