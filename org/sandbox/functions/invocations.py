"""Who invokes a function, whether it lets them, and what waits to be given to it.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.awslambda.models import lambda_backends
from moto.moto_api._internal import mock_random

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.encryption import TO_READ, Lock, NoKey
from org.sandbox.functions.credentials import role_environment
from org.sandbox.functions.worker import Program

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

INVOKE = "lambda:InvokeFunction"
_MOST_IN_A_CHAIN = 16
"""https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""


@dataclass(frozen=True, slots=True)
class Invoker:
    """The service that invokes a function, and the resource for which it does."""

    service: str
    """Its principal: `apigateway.amazonaws.com`."""
    source_arn: str = ""
    """Under `aws:SourceArn`; empty where the service sends none."""
    source_account: str = ""
    """Under `aws:SourceAccount`; `aws:SourceOrgID` and `aws:SourceOrgPaths` follow from it."""


class Refused(Exception):
    """Why Lambda does not take an invocation; a denial is `Denied`."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Result:
    """What a synchronous invocation answers."""

    payload: str
    """JSON: what the function returned or, where it failed, `{"errorMessage": …, "errorType": …}`."""
    error: str = ""
    """`Unhandled` where the function failed: the header X-Amz-Function-Error."""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that Lambda has taken, and has not given to its function yet."""

    function: str
    """Its ARN."""
    payload: str
    """JSON."""
    request_id: str
    chain: int = 0
    """How many asynchronous invocations it follows from."""

    @property
    def goes_in_circles(self) -> bool:
        return self.chain >= _MOST_IN_A_CHAIN


waiting: deque[Waiting] = deque()
_running: list[Waiting] = []
"""The event that a function is at work on; what is taken meanwhile follows from it, as far as the sandbox can tell."""


def find_function(arn: str) -> LambdaFunction:
    """Answer the function of an ARN, with `:$LATEST` or without.

    Raises Refused where there is none, and NotImplementedError for versions and aliases.
    """
    plain = arn.removesuffix(":$LATEST")
    parts = plain.split(":")
    if len(parts) > 7:
        raise NotImplementedError(f"versions and aliases of functions ({arn})")
    found: LambdaFunction | None = None
    # Looking a backend up makes it: an account that nobody knows must not come to be by asking.
    if len(parts) == 7 and parts[2] == "lambda" and parts[4] in lambda_backends:
        regions = lambda_backends[parts[4]]
        found = regions[parts[3]].get_function_by_arn(plain) if parts[3] in regions else None
    if found is None:
        raise Refused("ResourceNotFoundException", 404, f"Function not found: {arn}")
    return found


def require(function: LambdaFunction, by: Invoker) -> None:
    """Raise Denied unless the function's policy lets the service invoke it for that resource."""
    source = {"aws:SourceArn": by.source_arn or None, "aws:SourceAccount": by.source_account or None}
    principal = Principal(by.service, "", PrincipalKind.SERVICE)
    authorize_as(principal, RequiredCall(INVOKE, function.function_arn, source), function.region)


def later(function_arn: str, payload: object, by: Invoker) -> str:
    """Have a function given an event when the request that is served is answered; answer the invocation's id.

    For services that invoke functions in the course of a request (EventBridge, SNS, Config, …), who hold the request
    lock. `payload` is what JSON can say. What the function then makes of it is Lambda's concern: two more attempts,
    the destination on failure, the dead-letter queue.

    Raises Refused where there is no such function, and Denied where its policy does not let the service.
    """
    function = find_function(function_arn)
    require(function, by)
    return take(function, payload)


def take(function: LambdaFunction, payload: object) -> str:
    """Do as `later`, for whoever has been authorised already."""
    chain = _running[-1].chain + 1 if _running else 0
    event = Waiting(function.function_arn, json.dumps(payload), str(mock_random.uuid4()), chain)
    waiting.append(event)
    return event.request_id


def at_work_on(event: Waiting | None) -> None:
    _running[:] = [event] if event is not None else []


def forget() -> None:
    """After a reset nothing waits."""
    waiting.clear()
    _running.clear()


def limit_of(function: LambdaFunction) -> int | None:
    """Answer how many events the function may be at work on at once; None where nobody has said."""
    reserved = getattr(function, "reserved_concurrency", None)
    return int(reserved) if reserved is not None else None


def role_of(function: LambdaFunction) -> Principal:
    """Answer the session of its role that a function, and Lambda for it, acts in."""
    account = function.role.split(":")[4]
    name = function.role.rpartition("/")[2]
    session = f"arn:{function.partition}:sts::{account}:assumed-role/{name}/{function.function_name}"
    return Principal(function.role, account, PrincipalKind.ROLE, session)


def program_of(function: LambdaFunction, endpoint: str) -> Program:
    """Answer what is to run; raises Denied where the function's role does not trust Lambda, or may not use its key.

    Refused where there is no such key.
    """
    _require_key(function)
    environment: Mapping[str, str] = {**function.environment_vars, **role_environment(function, endpoint)}
    return Program(
        function.function_arn,
        function.function_name,
        str(function.handler),
        function.code_sha_256,
        int(function.timeout),
        int(function.memory_size),
        tuple(sorted(environment.items())),
    )


def _require_key(function: LambdaFunction) -> None:
    """Lambda reads the function's variables, if they have a key of one's own, as its role.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    """
    if function.environment_vars:
        context = {"aws:lambda:FunctionArn": str(function.function_arn)}
        lock = Lock(function.kms_key_arn, function.account_id, function.region, "lambda", context)
        try:
            lock.require(role_of(function), TO_READ)
        except NoKey as error:
            raise Refused("KMSNotFoundException", 502, str(error)) from error
