"""The errors with which Security Hub refuses a call.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/CommonErrors.html. [H]: the words, beyond what public reports
show.
"""

from __future__ import annotations

from moto.securityhub.exceptions import SecurityHubClientError


def not_enabled(account: str) -> SecurityHubClientError:
    return SecurityHubClientError("InvalidAccessException", f"Account {account} is not subscribed to AWS Security Hub")


def invalid(message: str) -> SecurityHubClientError:
    return SecurityHubClientError("InvalidInputException", message)


def not_found(message: str) -> SecurityHubClientError:
    return SecurityHubClientError("ResourceNotFoundException", message)


def conflict(message: str) -> SecurityHubClientError:
    return SecurityHubClientError("ResourceConflictException", message)


def limited(message: str) -> SecurityHubClientError:
    return SecurityHubClientError("LimitExceededException", message)


def denied(message: str) -> SecurityHubClientError:
    return SecurityHubClientError("AccessDeniedException", message)
