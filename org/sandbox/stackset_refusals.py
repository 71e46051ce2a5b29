"""The errors with which CloudFormation refuses a StackSet call, under AWS's codes."""

from __future__ import annotations

from moto.cloudformation.exceptions import CloudFormationError, ValidationError


class OperationInProgress(CloudFormationError):
    code = "OperationInProgressException"


class OperationIdAlreadyExists(CloudFormationError):
    code = "OperationIdAlreadyExistsException"


class OperationNotFound(CloudFormationError):
    code = "OperationNotFoundException"


class InvalidOperation(CloudFormationError):
    code = "InvalidOperationException"


class NameAlreadyExists(CloudFormationError):
    code = "NameAlreadyExistsException"


class StackInstanceNotFound(CloudFormationError):
    code = "StackInstanceNotFoundException"


class LimitExceeded(CloudFormationError):
    code = "LimitExceededException"


def refuse(message: str) -> ValidationError:
    return ValidationError(message=message)
