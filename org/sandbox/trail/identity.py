"""`userIdentity`: who made a call, as CloudTrail writes it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from org.policy.request import PrincipalKind
from org.sandbox.authorization.principals import Caller
from org.sandbox.trail.clock import written

Identity = Mapping[str, Any]


def identity_of(caller: Caller, access_key: str) -> Identity:
    """Answer the identity of who signed a request."""
    kind = caller.principal.kind
    key = {"accessKeyId": access_key}
    if kind is PrincipalKind.ROLE and caller.session is not None:
        role_id = caller.user_id.partition(":")[0]
        issuer = _issuer(caller.principal.arn, caller.account, role_id)
        started = {"creationDate": written(caller.session.issued), "mfaAuthenticated": "false"}
        return {**_assumed(caller.shown, caller.account, caller.user_id, issuer, started), **key}
    if kind is PrincipalKind.ROOT:
        return {"type": "Root", "principalId": caller.account, "arn": caller.shown, "accountId": caller.account, **key}
    return {
        "type": "IAMUser",
        "principalId": caller.user_id,
        "arn": caller.shown,
        "accountId": caller.account,
        **key,
        "userName": caller.shown.rpartition("/")[2],
    }


def service_linked(role: str, service: str, session: str, account: str, partition: str, started: str) -> Identity:
    """Answer the identity of a service that acts by its own role in the account.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
    """
    arn = f"arn:{partition}:iam::{account}:role/aws-service-role/{service}/{role}"
    shown = f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}"
    role_id = f"AROA{account}SLR"
    attributes = {"creationDate": started, "mfaAuthenticated": "false"}
    identity = _assumed(shown, account, f"{role_id}:{session}", _issuer(arn, account, role_id), attributes)
    return {**identity, "invokedBy": service}


def service_itself(service: str) -> Identity:
    return {"type": "AWSService", "invokedBy": service}


def _issuer(arn: str, account: str, role_id: str) -> Identity:
    name = arn.rpartition("/")[2]
    return {"type": "Role", "principalId": role_id, "arn": arn, "accountId": account, "userName": name}


def _assumed(shown: str, account: str, id: str, issuer: Identity, attributes: Identity) -> Identity:
    return {
        "type": "AssumedRole",
        "principalId": id,
        "arn": shown,
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {}, "attributes": attributes},
    }
