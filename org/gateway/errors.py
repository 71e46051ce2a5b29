"""What AWS and botocore say when they refuse, turned into where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from org.errors import AccessDenied, AlreadySo, Busy, NotFound, OrgctlError

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedForDependencyException"}
_NOT_FOUND = {  # codes, and the reason for which a partition refuses a policy type that it does not offer
    "INVALID_ENUM_POLICY_TYPE",
    "AccountNotFoundException",
    "AWSOrganizationsNotInUseException",
    "OperationNotFoundException",
    "OrganizationalUnitNotFoundException",
    "PolicyNotFoundException",
    "ResourceNotFoundException",
    "StackInstanceNotFoundException",
    "StackSetNotFoundException",
    "TargetNotFoundException",
}
_ALREADY = {
    "AccountAlreadyClosedException",
    "AccountAlreadyRegisteredException",
    "AccountNotRegisteredException",
    "DuplicateAccountException",
    "DuplicatePolicyAttachmentException",
    "OperationIdAlreadyExistsException",
    "PolicyNotAttachedException",
    "PolicyTypeAlreadyEnabledException",
}
_BUSY = {"OperationInProgressException"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_INVALID = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId"}
_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}

_TODO = {
    # By reason, where the exception carries one: the code alone says too little.
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html#API_CreateAccount_Errors
    "ACCOUNT_NUMBER_LIMIT_EXCEEDED": "ask for a higher quota of accounts in Service Quotas (AWS Organizations, "
    "'Default maximum number of accounts'), then run again",
    "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED": "wait some minutes, then run again: what is done stays done",
    "CLOSE_ACCOUNT_QUOTA_EXCEEDED": "AWS closes only a share of the accounts in 30 days; close the rest later",
    "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED": "only three accounts can be closing at once; run again in some minutes",
    "OU_DEPTH_LIMIT_EXCEEDED": "units nest at most five deep below the root",
    "OU_NUMBER_LIMIT_EXCEEDED": "ask AWS Support for a higher quota of organizational units",
    "POLICY_NUMBER_LIMIT_EXCEEDED": "delete policies that nothing uses, or merge some",
    "POLICY_CONTENT_LIMIT_EXCEEDED": "shorten the policy or split it in two",
    "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED": "detach or merge policies of this type on that target",
    "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED": "a target keeps at least one service control policy; attach another "
    "one first",
    "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE": "enable all features of the organization first: "
    "aws organizations enable-all-features",
    # By error code.
    "AWSOrganizationsNotInUseException": "run `orgctl bootstrap` with the credentials of the management account",
    "ConcurrentModificationException": "something else is changing the organization; run again",
    "DuplicatePolicyException": "a policy of that name exists already; choose another name",
    "FinalizingOrganizationException": "AWS is still setting the organization up; run again in an hour",
    "InsufficientCapabilitiesException": "add the capability to `capabilities` of the StackSet in the manifest",
    "PolicyTypeNotEnabledException": "AWS is still enabling the policy type, or something else disabled it; run again",
    "MalformedPolicyDocumentException": "mend the policy; `orgctl validate` shows where it stands",
    "OperationInProgressException": "another operation of this StackSet is running; run again when it is done",
    "PolicyTypeNotAvailableForOrganizationException": "this policy type is not offered to the organization",
    "LimitExceededException": "a quota of the service is reached; ask for a higher one in Service Quotas",
}


@contextmanager
def aws_errors(call: str, subject: str = "") -> Iterator[None]:
    """Translate what botocore raises during `call` (`organizations:CreatePolicy`) on `subject`."""
    where = f"{call} {subject}".rstrip()
    try:
        yield
    except ClientError as error:
        raise translate(error, where) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise OrgctlError(
            where, "no AWS credentials found", "set AWS_PROFILE or pass --profile, or try it all with --sandbox"
        ) from error
    except (SSOError, TokenRetrievalError) as error:
        raise OrgctlError(where, "the sign-in to AWS has expired", "run `aws sso login`, then run again") from error
    except ProfileNotFound as error:
        raise OrgctlError(where, str(error), "`aws configure list-profiles` lists the profiles that exist") from error
    except ConfigParseError as error:
        raise OrgctlError(where, str(error), "correct the file, or name another in AWS_CONFIG_FILE") from error
    except NoRegionError as error:
        raise OrgctlError(where, "no Region given", "set AWS_REGION") from error
    except EndpointConnectionError as error:
        raise OrgctlError(
            where, f"no connection to {error.kwargs['endpoint_url']}", "check the network, or `orgctl sandbox status`"
        ) from error
    except BotoCoreError as error:
        raise OrgctlError(where, str(error), "run again; what is done stays done") from error
    except _no_answer_of_aws() as error:
        what = "what answers is not AWS, or is broken: it sends something else than its protocol"
        raise OrgctlError(where, what, "see what stands between (a proxy), or the log of the sandbox") from error


def _no_answer_of_aws() -> type[Exception]:
    """Answer the error for it; half of botocore comes with it, which a function that starts has no use for."""
    from botocore.parsers import ResponseParserError

    return ResponseParserError


def translate(error: ClientError, where: str) -> OrgctlError:
    """Turn an AWS error into ours: the class says what callers can do, the text what a person can."""
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "") or code
    reason = str(error.response.get("Reason", ""))
    if code in _DENIED:
        return AccessDenied(where, f"access denied: {message}", "use credentials that may make this call")
    if code in _ALREADY:
        return AlreadySo(where, f"{message} ({code})", "run again: the plan was made for an earlier state")
    if code in _NOT_FOUND or reason in _NOT_FOUND:
        return NotFound(where, message, _TODO.get(code, ""))
    if code in _BUSY:
        return Busy(where, f"{message} ({code})", _TODO.get(code, ""))
    if code in _EXPIRED:
        return OrgctlError(where, "the credentials have expired", "sign in again, then run again")
    if code in _INVALID:
        return OrgctlError(where, f"AWS does not know these credentials ({code})", "check AWS_PROFILE or --profile")
    if code in _THROTTLED:
        return OrgctlError(where, f"AWS throttled the call until the retries ran out ({code})", "run again later")
    todo = _TODO.get(reason) or next((text for key, text in _TODO.items() if key in message), "") or _TODO.get(code, "")
    return OrgctlError(where, f"{message} ({code})", todo)
