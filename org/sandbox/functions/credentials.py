"""What a function's process is told of who it is: a session of its role, and where AWS is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.principals import SESSION, SessionFacts

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction
    from moto.sts.models import AssumedRole

_LAMBDA = Principal("lambda.amazonaws.com", "", PrincipalKind.SERVICE)
_SECONDS = 12 * 60 * 60

_keys: set[str] = set()


def role_environment(function: LambdaFunction, endpoint: str) -> Mapping[str, str]:
    """Answer the variables that Lambda sets; raises Denied where the role does not trust Lambda.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    source = {"aws:SourceArn": function.function_arn, "aws:SourceAccount": function.account_id}
    authorize_as(_LAMBDA, RequiredCall("sts:AssumeRole", function.role, source), function.region)
    session = _session(function.role, function.function_name, function.region, _role_id(function))
    return {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.defpath]),  # noqa: PTH120 - no Path wanted
    }


def _role_id(function: LambdaFunction) -> str:
    account, partition = function.role.split(":")[4], function.role.split(":")[1]
    roles = iam_backends[account][partition].roles.values()
    return next((role.id for role in roles if role.arn == function.role), "")


@lru_cache(maxsize=1_024)
def _session(role: str, name: str, region: str, role_id: str) -> AssumedRole:
    """One session for as long as the role is the same, so that a warm process stays one."""
    account, partition = role.split(":")[4], role.split(":")[1]
    assumed = sts_backends[account][partition].assume_role(
        region_name=region, role_session_name=name, role_arn=role, policy="", duration=_SECONDS, external_id=""
    )
    _keys.add(assumed.access_key_id)
    setattr(assumed.access_key, SESSION, SessionFacts(name, utcnow().replace(tzinfo=UTC), role_id=role_id))
    return assumed


def is_function_key(access_key: str) -> bool:
    """Say whether a function's process signed with this key, of its own role or of one that it has assumed."""
    return access_key in _keys


def follow_session(before: str, after: str) -> None:
    """Count what is signed with the key `after` as the function's, too, where it has assumed a role with `before`.

    Its requests must not wait for functions: they would wait for their own.
    """
    if is_function_key(before):
        _keys.add(after)


def forget_sessions() -> None:
    """After a reset no session is known any more."""
    _session.cache_clear()
    _keys.clear()
