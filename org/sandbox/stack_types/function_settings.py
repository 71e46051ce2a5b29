"""What AWS checks of a function's settings, beyond their form: its network, its dead letters, its environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaFunction
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends

from org.sandbox.authorization.denial import Denied
from org.sandbox.deliveries import Sender, Undelivered
from org.sandbox.functions.invocations import role_of
from org.sandbox.stack_types.interface import ResourceRefused, Wanted

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

_MOST_ENVIRONMENT = 4_096
"""Bytes of all names and values: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_RESERVED = frozenset({
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "_HANDLER", "_X_AMZN_TRACE_ID",
})  # fmt: skip
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""
_DELIVERS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}


def read_environment(given: Mapping[str, Any]) -> dict[str, str]:
    """Answer the variables; raises ResourceRefused where Lambda would not take them."""
    variables = given.get("Variables", {})
    if not all(isinstance(value, str) for value in variables.values()):
        raise ResourceRefused("Properties validation failed: Environment/Variables must be texts")
    taken = sorted(_RESERVED & set(variables))
    if taken:
        what = "contains reserved keys that are currently not supported for modification"
        raise ResourceRefused(
            f"Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided {what}. Reserved keys used in this request: {', '.join(taken)}"
        )
    if sum(len(name.encode()) + len(value.encode()) for name, value in variables.items()) > _MOST_ENVIRONMENT:
        raise ResourceRefused(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )
    return dict(variables)


def check_target(function: LambdaFunction, arn: str, services: tuple[str, ...]) -> None:
    """Refuse a place for failures that the sandbox does not know, or that the function's role may not send to.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service not in services:
        raise ResourceRefused(f"the orgctl sandbox does not emulate {arn} as a destination: {', '.join(services)} only")
    _check_role(function, _DELIVERS[service], arn)


def check_network(function: LambdaFunction, wanted: Wanted, given: Mapping[str, Any]) -> None:
    """Refuse subnets and groups that are not there, and a role that cannot make the function's network interfaces.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    extra = sorted(set(given) - {"SecurityGroupIds", "SubnetIds"})
    if extra:
        raise ResourceRefused(f"the orgctl sandbox does not emulate {', '.join(extra)} of VpcConfig")
    subnets, groups = given.get("SubnetIds", []), given.get("SecurityGroupIds", [])
    if not subnets or not groups:
        raise ResourceRefused("Properties validation failed: VpcConfig needs SubnetIds and SecurityGroupIds")
    backend = ec2_backends[wanted.account_id][wanted.region]
    networks = {*_networks_of_subnets(backend, subnets), *_networks_of_groups(backend, groups)}
    if len(networks) > 1:
        raise ResourceRefused("The subnets and security groups of a function must be in one VPC")
    prefix = f"arn:{wanted.partition}:ec2:{wanted.region}:{wanted.account_id}:"
    places = [f"subnet/{each}" for each in subnets] + [f"security-group/{each}" for each in groups]
    for place in (*places, "network-interface/*"):
        _check_role(function, "ec2:CreateNetworkInterface", prefix + place)
    _check_role(function, "ec2:DeleteNetworkInterface", f"{prefix}network-interface/*")
    _check_role(function, "ec2:DescribeNetworkInterfaces", "*")


def network_of(function: LambdaFunction) -> dict[str, Any] | None:
    """Answer a function's network as Lambda shows it, with the VPC that its subnets are in."""
    given: dict[str, Any] | None = function._vpc_config
    if not given:
        return None
    backend = ec2_backends[function.account_id][function.region]
    return {**given, "VpcId": next(_networks_of_subnets(backend, given["SubnetIds"]))}


def _networks_of_subnets(backend: EC2Backend, ids: list[str]) -> Iterator[str]:
    for each in ids:
        try:
            yield str(backend.get_subnet(each).vpc_id)
        except EC2ClientError as error:
            raise ResourceRefused(f"The subnet ID '{each}' does not exist") from error


def _networks_of_groups(backend: EC2Backend, ids: list[str]) -> Iterator[str]:
    for each in ids:
        group = backend.get_security_group_from_id(each)
        if group is None:
            raise ResourceRefused(f"The security group '{each}' does not exist")
        yield str(group.vpc_id)


def _check_role(function: LambdaFunction, action: str, resource: str) -> None:
    try:
        Sender(role_of(function)).require(action, resource, function.region)
    except Denied as denied:
        service, _, call = action.partition(":")
        what = f"The provided execution role does not have permissions to call {call} on {service.upper()}"
        raise ResourceRefused(f"{what} ({resource})") from denied
    except Undelivered as error:
        raise ResourceRefused(str(error)) from error


def install() -> None:
    """Have moto show the VPC that there is: it answers `vpc-123abc`."""
    LambdaFunction.vpc_config = property(network_of)  # type: ignore[method-assign,assignment]
