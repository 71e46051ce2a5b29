"""AWS::ApiGateway::UsagePlan, ApiKey and UsagePlanKey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends

from org.sandbox.stack_types.interface import Created, Properties, ResourceRefused, Shape, Wanted

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend

_PERIODS = ("DAY", "WEEK", "MONTH")


class UsagePlan:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-usageplan.html."""

    shape = Shape(
        "AWS::ApiGateway::UsagePlan",
        properties=frozenset({"ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"}),
        attributes=frozenset({"Id"}),
        name_property="UsagePlanName",
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(str(_backend(wanted).create_usage_plan({"name": wanted.name}).id))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        plan, properties = _backend(wanted).get_usage_plan(created.physical_id), wanted.properties
        plan.name, plan.description = wanted.name, properties.get("Description")
        plan.api_stages = [self._stage(wanted, each) for each in properties.get("ApiStages", [])]
        plan.throttle = _throttle(properties.get("Throttle", {}))
        plan.quota = self._quota(properties.get("Quota"))
        plan.tags = wanted.tags  # type: ignore[assignment]  # as GetUsagePlan shows them
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_usage_plan(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id

    def _stage(self, wanted: Wanted, given: Properties) -> dict[str, Any]:
        api = _backend(wanted).apis.get(given["ApiId"])
        if api is None or given["Stage"] not in api.stages:
            raise ResourceRefused("API Stage not found: " + f"{given['ApiId']}:{given['Stage']}")
        methods = {path.replace("~1", "/"): _throttle(each) for path, each in given.get("Throttle", {}).items()}
        return {"apiId": given["ApiId"], "stage": given["Stage"], **({"throttle": methods} if methods else {})}

    def _quota(self, given: Properties | None) -> dict[str, Any]:
        if not given:
            return {}
        if set(given) - {"Limit", "Period"}:
            raise ResourceRefused("the orgctl sandbox does not emulate the Offset of a Quota")
        if given.get("Period") not in _PERIODS:
            raise ResourceRefused(f"Usage Plan quota period must be one of {', '.join(_PERIODS)}")
        return {"limit": int(given["Limit"]), "period": given["Period"]}


class ApiKey:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html."""

    shape = Shape(
        "AWS::ApiGateway::ApiKey",
        properties=frozenset({"CustomerId", "Description", "Enabled", "Name", "StageKeys", "Tags", "Value"}),
        attributes=frozenset({"APIKeyId"}),
        name_property="Name",
        replaced_by=frozenset({"Value"}),
    )

    def create(self, wanted: Wanted) -> Created:
        payload = {"name": wanted.name, "value": wanted.properties.get("Value")}
        return Created(str(_backend(wanted).create_api_key(payload).id))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        key, properties = _backend(wanted).get_api_key(created.physical_id), wanted.properties
        key.customer_id = properties.get("CustomerId")
        key.description = properties.get("Description")
        # What keys had before there were usage plans; it lets nobody in.
        key.stage_keys = [f"{each['RestApiId']}/{each['StageName']}" for each in properties.get("StageKeys", [])]
        key.enabled = properties.get("Enabled") in (True, "true")
        key.tags = wanted.tags  # type: ignore[assignment]  # as GetApiKey shows them
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_api_key(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only its id
        return created.physical_id


class UsagePlanKey:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-usageplankey.html."""

    shape = Shape(
        "AWS::ApiGateway::UsagePlanKey",
        properties=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        key, kind, plan = (str(wanted.properties[each]) for each in ("KeyId", "KeyType", "UsagePlanId"))
        if kind != "API_KEY":
            raise ResourceRefused("KeyType must be API_KEY")
        backend = _backend(wanted)
        backend.get_usage_plan(plan)
        backend.create_usage_plan_key(plan, {"keyId": key, "keyType": kind})
        return Created(f"{key}:{plan}")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # all replace it
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        key, _, plan = created.physical_id.partition(":")
        _backend(wanted).usage_plan_keys.get(plan, {}).pop(key, None)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


def _backend(wanted: Wanted) -> APIGatewayBackend:
    return apigateway_backends[wanted.account_id][wanted.region]


def _throttle(given: Properties) -> dict[str, Any]:
    names = {"BurstLimit": ("burstLimit", int), "RateLimit": ("rateLimit", float)}
    return {shown: kind(given[name]) for name, (shown, kind) in names.items() if name in given}
