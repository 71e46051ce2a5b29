"""The texts that a manifest is made of: each type says what AWS allows and refuses the rest in words of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from config.strict import refuse
from config.tags import TagKey, TagValue
from org.policy_types import load_policy_types
from org.quotas import load_quotas
from org.regions import known_regions
from org.source.findings import suggest

OWN_TAGS = 2
"""As many tags orgctl adds of its own (`org.model.OWNER_TAG`, `OVERRIDES_TAG`); they count among AWS's quota."""

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | tuple[Scalar, ...]
"""What a variable or a parameter may be."""


def _check_length(noun: str, text: str, longest: int) -> None:
    if not 1 <= len(text) <= longest:
        refuse(f"{noun} has {len(text)} characters", f"use 1 to {longest}")
    if any(unicodedata.category(character) == "Cc" for character in text):
        refuse(f"{noun} {text!r} holds a control character", "remove it")
    if text != text.strip():
        refuse(f"{noun} {text!r} begins or ends with a space", "remove it")


# https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html says all three of an email.
_LOCAL_PART = re.compile(r"""(?!\.)[^\s"'()<>\[\]:;,\\|%&@]+""", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z0-9-]*[A-Za-z0-9]")


_LEFT_TO_AWS = re.compile(r"[*?$]|[a-z][a-z0-9.-]*:(?!:).*", re.DOTALL)


def is_left_to_aws(name: str) -> bool:
    """Say whether `${name}` is one of IAM's own variables (`aws:PrincipalTag/team`, `*`), filled in on each request.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return _LEFT_TO_AWS.fullmatch(name) is not None and not name.startswith("orgctl:")


def _check_email(text: str) -> str:
    local, _, domain = text.partition("@")
    if not (_LOCAL_PART.fullmatch(local) and local.isascii() and _DOMAIN.fullmatch(domain)):
        refuse(f"{text!r} is not an email address that AWS accepts", "write it like name@example.com")
    if not 6 <= len(text) <= 64:
        refuse(f"the email address {text!r} has {len(text)} characters", "AWS accepts 6 to 64")
    return text


def _check_account_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        refuse(f"{text!r} is not an account id", 'write its twelve digits in quotes, like "123456789012"')
    return text


def _check_account_name(text: str) -> str:
    _check_length("the account name", text, 50)
    if not re.fullmatch(r"[ -~]+", text):
        refuse(f"the account name {text!r} holds a character that AWS does not accept", "use printable ASCII only")
    if "}" in text:
        refuse(f"the account name {text!r} holds '}}'", "remove it, since references to the account end with it")
    return text


def _check_unit_name(text: str) -> str:
    _check_length("the unit name", text, 128)
    if "/" in text:
        refuse(f"the unit name {text!r} holds '/'", "nest units with units: instead of writing a path")
    if "}" in text:
        refuse(f"the unit name {text!r} holds '}}'", "remove it, since references to the unit end with it")
    if text == "Root":
        refuse("the unit name 'Root' is reserved for the organization's root", "name the unit otherwise")
    return text


def _check_api_caller(text: str) -> str:
    if not text.startswith("arn:"):
        return _check_account_name(text)
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,575}", text, re.ASCII):
        todo = "write arn:aws:iam::123456789012:role/path/name without wildcards, or the name of an account"
        refuse(f"{text!r} is not the ARN of a role", todo)
    return text


def _check_policy_name(text: str) -> str:
    _check_length("the policy name", text, 128)
    return text


def _check_policy_description(text: str) -> str:
    if len(text) > (quota := load_quotas().organization.policy_description):
        refuse(f"the description has {len(text)} characters", f"use at most {quota}")
    return text


def _check_stackset_description(text: str) -> str:
    if len(text) > 1024:
        refuse(f"the description has {len(text)} characters", "use at most 1024")
    return text


def _check_label(text: str) -> str:
    _check_length("the name", text, 128)
    return text


def _check_stackset_name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", text):
        refuse(
            f"{text!r} is not a name that a StackSet can have",
            "use up to 128 letters, digits and hyphens, beginning with a letter",
        )
    return text


def refuse_macros(capability: object) -> object:
    if capability == "CAPABILITY_AUTO_EXPAND":
        what = "CAPABILITY_AUTO_EXPAND is for macros, which StackSets of an organization do not allow"
        refuse(what, "remove it")
    return capability


def _check_region(text: str) -> str:
    if text not in known_regions():
        refuse(f"unknown Region {text!r}", suggest(text, known_regions(), otherwise="write it like eu-central-1"))
    return text


def _check_policy_type(text: str) -> str:
    types = load_policy_types()
    if text not in types:
        listed = "the types are " + ", ".join(types)
        refuse(f"unknown policy type {text!r}", suggest(text, types, otherwise=listed))
    return text


def _check_service(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?", text):
        refuse(f"{text!r} is not a service principal", "write it like cloudtrail.amazonaws.com")
    return text


_ACCOUNT = r"(?:\*|[0-9]{12}|\$\{orgctl:[^}]+\})"
_PRINCIPAL = re.compile(
    rf"arn:(?:aws[a-z-]*|\*):(?:iam::{_ACCOUNT}:(?:root|(?:user|role)/[!-~]+)|sts::{_ACCOUNT}:federated-user/[!-~]+)"
)


def _check_principal(text: str) -> str:
    """Refuse sessions too: `aws:PrincipalArn`, by which guardrails spare principals, is the role's ARN for them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    if ":assumed-role/" in text:
        refuse(
            f"{text!r} is the ARN of a role's session", 'write that of the role, like "arn:aws:iam::*:role/BreakGlass"'
        )
    if not _PRINCIPAL.fullmatch(text):
        refuse(f"{text!r} is not the ARN of a principal", 'write it like "arn:aws:iam::*:role/BreakGlass"')
    if not text.rpartition(":")[2].partition("/")[2].strip("*?/") and not text.endswith(":root"):
        # A policy that spares every role, or every user, restricts nobody.
        refuse(f"{text!r} means every principal of its kind", "name the role or user, or a part of its name")
    return text


_USER_POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[a-z0-9-]+_[A-Za-z0-9]+")


def _check_resource(text: str) -> str:
    if not re.fullmatch(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S+", text):
        refuse(f"{text!r} is not the ARN of a resource", 'write it like "arn:aws:iam::*:role/BreakGlass"')
    return text


def _check_user_pool(text: str) -> str:
    if not _USER_POOL.fullmatch(text):
        where = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abc123DEF"
        refuse(f"{text!r} is not the ARN of a Cognito user pool", f"write it like {where}")
    return text


def _check_condition_key(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+:[^\s]+", text):
        refuse(f"{text!r} is not a condition key", 'write it like "ec2:Encrypted" or "aws:RequestTag/Owner"')
    return text


def _check_call(text: str) -> str:
    if not re.fullmatch(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+", text):
        refuse(f"{text!r} is not an AWS call", 'write it like "sts:AssumeRole" or "iam:*"')
    return text


def _check_image_owner(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}|amazon|aws-marketplace|aws-backup-vault|self", text):
        refuse(
            f"{text!r} is not an owner of images",
            "write an account id in quotes, amazon, aws-marketplace, aws-backup-vault or self",
        )
    return text


def _check_phone(text: str) -> str:
    if not re.fullmatch(r"[\s0-9()+-]{1,25}", text):
        refuse(f"{text!r} is not a phone number", "use up to 25 digits, spaces, parentheses, + and -")
    return text


def _check_contact_email(text: str) -> str:
    if not re.fullmatch(r"[\w+=.#|!&-]+@[\w.-]+\.\w+", text) or len(text) > 254:
        refuse(f"{text!r} is not an email address that AWS accepts", "write it like name@example.com")
    return text


def _check_file_name(text: str) -> str:
    if not text or any(unicodedata.category(character) == "Cc" for character in text):
        refuse(f"{text!r} is not a file name", "write a path below the manifest's folder")
    return text


def _check_contact_name(text: str) -> str:
    _check_length("the contact's name", text, 64)
    return text


def _check_contact_title(text: str) -> str:
    _check_length("the contact's title", text, 50)
    return text


def _check_variable_name(text: str) -> str:
    if not re.fullmatch(r"[^{}\s]+", text):
        refuse(f"{text!r} is not a name that a variable can have", "use no spaces and no braces")
    if is_left_to_aws(text) or text.startswith("orgctl:"):
        owner = "orgctl" if text.startswith("orgctl:") else "IAM"
        refuse(f"the variable {text!r} could never be told from {owner}'s own", "name it in capitals, like HOME_REGION")
    return text


def _check_tag_count(tags: Mapping[str, str | None]) -> Mapping[str, str | None]:
    quota = load_quotas().organization.tags
    if (count := sum(value is not None for value in tags.values())) > quota - OWN_TAGS:
        todo = f"use at most {quota - OWN_TAGS}, since AWS allows {quota} and orgctl adds up to {OWN_TAGS} of its own"
        refuse(f"there are {count} tags", todo)
    return tags


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _check_value(value: object) -> object:
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    if not all(map(_is_scalar, listed)):
        refuse("the value is neither text, number, true, false, nor a list of these", "write one of them")
    return value


def _text(longest: int, pattern: str = "") -> WithJsonSchema:
    schema: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": longest}
    return WithJsonSchema(schema | ({"pattern": pattern} if pattern else {}))


def _listed(name: str) -> WithJsonSchema:
    """Mark a text that is one of a long list; `config.schema` writes each list once."""
    return WithJsonSchema({"type": "string", "format": name})


_SCALARS: list[dict[str, object]] = [{"type": name} for name in ("string", "number", "boolean")]

Email = Annotated[str, AfterValidator(_check_email), _text(64, r"^[^\s@]+@[^\s@]+\.[^\s@]+$")]
AccountIdText = Annotated[str, AfterValidator(_check_account_id), _text(12, "^[0-9]{12}$")]
AccountNameText = Annotated[str, AfterValidator(_check_account_name), _text(50)]
UnitName = Annotated[str, AfterValidator(_check_unit_name), _text(128, "^[^/}]+$")]
PolicyName = Annotated[str, AfterValidator(_check_policy_name), _text(128)]
PolicyDescription = Annotated[str, AfterValidator(_check_policy_description)]
StackSetDescription = Annotated[str, AfterValidator(_check_stackset_description)]
Label = Annotated[str, AfterValidator(_check_label), _text(128)]
StackSetName = Annotated[str, AfterValidator(_check_stackset_name), _text(128, "^[a-zA-Z][-a-zA-Z0-9]{0,127}$")]
RegionText = Annotated[str, AfterValidator(_check_region), _listed("Region")]
PolicyTypeText = Annotated[str, AfterValidator(_check_policy_type), _listed("PolicyType")]
ServicePrincipal = Annotated[str, AfterValidator(_check_service), _text(128, r"\.amazonaws\.com(\.cn)?$")]
PrincipalArn = Annotated[str, AfterValidator(_check_principal), _text(2048, "^arn:")]
Call = Annotated[str, AfterValidator(_check_call), _text(256, r"^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$")]
ResourceArn = Annotated[str, AfterValidator(_check_resource), _text(2048, "^arn:")]
ConditionKey = Annotated[str, AfterValidator(_check_condition_key), _text(256, ":")]
ImageOwner = Annotated[str, AfterValidator(_check_image_owner), _text(32)]
ApiCaller = Annotated[str, AfterValidator(_check_api_caller), _text(2048)]
Phone = Annotated[str, AfterValidator(_check_phone), _text(25, r"^[\s0-9()+-]+$")]
ContactEmail = Annotated[str, AfterValidator(_check_contact_email), _text(254)]
FileName = Annotated[str, AfterValidator(_check_file_name), _text(1024)]
ContactName = Annotated[str, AfterValidator(_check_contact_name), _text(64)]
ContactTitle = Annotated[str, AfterValidator(_check_contact_title), _text(50)]
UserPoolArn = Annotated[str, AfterValidator(_check_user_pool), _text(256, f"^{_USER_POOL.pattern}$")]
VariableName = Annotated[str, AfterValidator(_check_variable_name), _text(256, r"^[^{}\s]+$")]
Tags = Annotated[Mapping[TagKey, TagValue | None], AfterValidator(_check_tag_count)]
AnyValue = Annotated[
    Value,
    PlainValidator(_check_value),
    WithJsonSchema({"anyOf": [*_SCALARS, {"type": "array", "items": {"anyOf": _SCALARS}}]}),
]
