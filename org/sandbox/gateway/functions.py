"""How API Gateway has a function run: as a service that its policy must allow for the method that was called."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from moto.awslambda.models import lambda_backends

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.functions.mappings import Functions, _program
from org.sandbox.functions.worker import FunctionFailed, Worker
from org.sandbox.gateway.front import FunctionBroke, Invoke, NotInvoked

_SERVICE = Principal("apigateway.amazonaws.com", "", PrincipalKind.SERVICE)


def invoke_through(functions: Functions, endpoint: str, locked: Callable[[], AbstractContextManager[Any]]) -> Invoke:
    running = threading.Lock()

    def invoke(function_arn: str, event: dict[str, Any], source_arn: str, source_account: str) -> str:
        import json

        try:
            with locked():
                region, account = function_arn.split(":")[3:5]
                function = lambda_backends[account][region].get_function_by_arn(function_arn)
                if function is None:
                    raise NotInvoked(f"Function not found: {function_arn}")
                source = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
                authorize_as(_SERVICE, RequiredCall("lambda:InvokeFunction", function_arn, source), region)
                program, code = _program(function, endpoint), function.code_bytes
        except Denied as denied:
            raise NotInvoked(denied.message) from denied
        with running:
            worker = functions._workers.get(program.arn)
            if worker is None or worker.program != program or worker.has_ended:
                worker = functions._workers[program.arn] = Worker(program, code)
            try:
                return json.dumps(worker.invoke(event, str(uuid.uuid4())))
            except FunctionFailed as error:
                raise FunctionBroke(str(error)) from error

    return invoke
