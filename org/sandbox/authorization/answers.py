"""What is answered to a request that is refused, in the shape of its service's protocol."""

from __future__ import annotations

import warnings

from moto.core.exceptions import ServiceException
from moto.core.serialize import get_serializer_class

from org.sandbox.authorization import scaling
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.requests import ReadRequest, service_names

Answer = tuple[int, dict[str, str], str | bytes]

_CODES = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException", "rest-json": "AccessDeniedException"}
_STATUS = {"json": 400}
_MALFORMED = {
    "ec2": "InvalidParameterValue",
    "json": "ValidationException",
    "rest-json": "ValidationException",
    "rest-xml": "MalformedXML",
}
_UNUSABLE = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
}


class _AccessDenied(ServiceException):
    """In a module of ours: of one of moto's own moto would take the service from its name."""


def turn_away(read: ReadRequest) -> Answer:
    """Answer a key that is good no longer.

    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    """
    special = _UNUSABLE.get(read.call.service)
    if special is not None:
        code, message, status = special
        return _render(read, code, message, status)
    code = "UnrecognizedClientException" if "json" in read.protocol else "InvalidClientTokenId"
    return _render(
        read, code, "The security token included in the request is invalid.", _STATUS.get(read.protocol, 403)
    )


def refuse(read: ReadRequest, denied: Denied) -> Answer:
    """Render the denial as the service's protocol does."""
    code = service_names().codes.get(read.call.service, _CODES.get(read.protocol, "AccessDenied"))
    message = denied.message
    if read.call.service == "autoscaling" and denied.check.action == "ec2:RunInstances":
        message = scaling.refusal(read.call)
    if read.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {message}. "
        message += f"Encoded authorization failure message: {denied.encoded}"
    return _render(read, code, message, _STATUS.get(read.protocol, 403))


def reject(read: ReadRequest, problems: str) -> Answer:
    """Answer a request that cannot be read.  [H]: the words and, where services have codes of their own, the code."""
    return _render(read, _MALFORMED.get(read.protocol, "ValidationError"), problems, 400)


def _render(read: ReadRequest, code: str, message: str, status: int) -> Answer:
    serializer = get_serializer_class(read.call.service, read.protocol)(read.operation)
    with warnings.catch_warnings():
        # Most services can deny access and do not list the error among their own.
        warnings.simplefilter("ignore")
        rendered = serializer.serialize(_AccessDenied(code, message))
    body = "" if read.http.method == "HEAD" else rendered["body"]
    return status, dict(rendered["headers"]), body
