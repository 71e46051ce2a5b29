"""The errors with which the emulated Organizations refuses a call: AWS's codes and reasons.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ConstraintViolationException.html lists the reasons.
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """An AWS error with the `Reason` member that two of Organizations' exceptions have."""

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(code, message)
        if reason:
            self.Reason = reason


def constraint(reason: str, message: str) -> Refusal:
    return Refusal("ConstraintViolationException", message, reason)


def invalid(reason: str, message: str) -> Refusal:
    return Refusal("InvalidInputException", message, reason)


def malformed(message: str) -> Refusal:
    return Refusal("MalformedPolicyDocumentException", message)


def target_not_found() -> Refusal:
    return Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")


def unit_not_found() -> Refusal:
    return Refusal("OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")


def parent_not_found() -> Refusal:
    return Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")


def not_in_organization() -> Refusal:
    return Refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


def access_denied(message: str = "You don't have permissions to access this resource.") -> Refusal:
    return Refusal("AccessDeniedException", message)
