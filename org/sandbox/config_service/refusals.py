"""The errors with which AWS Config refuses a call.

https://docs.aws.amazon.com/config/latest/APIReference/CommonErrors.html. [H]: the words, where nothing public shows
them.
"""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class ConfigRefusal(JsonRESTError):
    """Any of them, by its code."""

    code = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def invalid(message: str) -> ConfigRefusal:
    return ConfigRefusal("InvalidParameterValueException", message)


def unlawful(what: str, constraint: str) -> ConfigRefusal:
    """What does not even have the form of the API."""
    message = f"1 validation error detected: Value at '{what}' failed to satisfy constraint: {constraint}"
    return ConfigRefusal("ValidationException", message)


def no_rule(name: str) -> ConfigRefusal:
    message = f"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name"
    return ConfigRefusal("NoSuchConfigRuleException", message)


def no_recorder() -> ConfigRefusal:
    message = "Configuration recorder is not available to put config rule."
    return ConfigRefusal("NoAvailableConfigurationRecorderException", message)


def owned_by_service() -> ConfigRefusal:
    message = "An AWS service owns ServiceLinkedConfigRule. You do not have permissions to take action on this rule."
    return ConfigRefusal("AccessDeniedException", message)


def not_invocable(function: str) -> ConfigRefusal:
    message = (
        f"The AWS Lambda function {function} cannot be invoked. Check the specified function ARN, "
        "and check the function's permissions."
    )
    return ConfigRefusal("InsufficientPermissionsException", message)
