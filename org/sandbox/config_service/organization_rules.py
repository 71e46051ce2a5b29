"""Rules of an organization: one in every account, owned by the service.

https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConfigRule.html. An account without a recorder
is told as failed, and with it the whole rule; an account that joins later gets its rule when it has one. (AWS tries for
seven hours.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from org.sandbox.config_service import refusals
from org.sandbox.config_service.backend import SERVICE, SandboxConfig, check_invocable, find_config, known_configs
from org.sandbox.config_service.organization_metadata import KINDS, rule_of
from org.sandbox.config_service.rules import check
from org.sandbox.functions.invocations import Invoker
from org.sandbox.membership import MembershipChange, subscribe
from org.sandbox.organizations import SandboxOrganizations, find_organization_of

ADMINISTRATION = "config-multiaccountsetup.amazonaws.com"
"""Who owns the rules in the accounts, and what trusted access is given to.

https://docs.aws.amazon.com/config/latest/developerguide/config-rule-multi-account-deployment.html
"""
_NAME = re.compile(r"[A-Za-z0-9-_]{1,64}")
_MOST_EXCLUDED = 1_000
_WAITS = "CREATE_IN_PROGRESS"


@dataclass(slots=True)
class OrganizationRule:
    name: str
    suffix: str
    arn: str
    given: Mapping[str, Any]
    """The metadata and the excluded accounts."""
    updated: float
    verb: str = "CREATE"
    """The last thing that was done with it: CREATE or UPDATE."""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The status of each, by its id."""

    @property
    def member_name(self) -> str:
        """What the rule is called in the accounts."""
        return f"OrgConfigRule-{self.name}-{self.suffix}"

    @property
    def status(self) -> str:
        """Of the whole: failed, if it is for one account.  [H]: not of those that joined later."""
        states = {each["MemberAccountRuleStatus"].rpartition("_")[2] for each in self.accounts.values()}
        return f"{self.verb}_FAILED" if "FAILED" in states else f"{self.verb}_SUCCESSFUL"

    def show(self) -> dict[str, Any]:
        names = {"OrganizationConfigRuleName": self.name, "OrganizationConfigRuleArn": self.arn}
        return {**names, **self.given, "LastUpdateTime": self.updated}

    def show_status(self) -> dict[str, Any]:
        failed = [each for each in self.accounts.values() if each["MemberAccountRuleStatus"].endswith("_FAILED")]
        shown = {
            "OrganizationConfigRuleName": self.name,
            "OrganizationRuleStatus": self.status,
            "LastUpdateTime": self.updated,
        }
        if failed:
            accounts = ", ".join(str(each["AccountId"]) for each in failed[:5])
            shown["ErrorCode"] = str(failed[0]["ErrorCode"])
            shown["ErrorMessage"] = f"{len(failed)} accounts, {accounts}: {failed[0]['ErrorMessage']}"
        return shown


def put(config: SandboxConfig, name: str, asked: Mapping[str, Any]) -> OrganizationRule:
    """Make the rule, or change it, in every account of the organization but the excluded ones."""
    organization = administered(config)
    if not _NAME.fullmatch(name):
        raise refusals.unlawful("organizationConfigRuleName", "Member must satisfy: [A-Za-z0-9-_]{1,64}")
    metadata = [kind for kind in KINDS if asked.get(kind)]
    if len(metadata) != 1:
        raise refusals.invalid(f"Provide one, and only one, of: {', '.join(KINDS)}")
    excluded = list(asked.get("ExcludedAccounts") or [])
    if len(excluded) > _MOST_EXCLUDED or not all(re.fullmatch(r"\d{12}", each) for each in excluded):
        raise refusals.unlawful("excludedAccounts", f"at most {_MOST_EXCLUDED} ids of accounts")
    given = {metadata[0]: dict(asked[metadata[0]]), "ExcludedAccounts": excluded}
    checked = check(rule_of(given))
    known = config.organization_rules.get(name)
    suffix = known.suffix if known else mock_random.get_random_string(8, lower_case=True)
    start = f"arn:{get_partition(config.region_name)}:config:{config.region_name}:{config.account_id}"
    rule = OrganizationRule(name, suffix, f"{start}:organization-config-rule/{name}-{suffix}", given, unix_time())
    if checked["Source"]["Owner"] == "CUSTOM_LAMBDA":
        function = str(checked["Source"]["SourceIdentifier"])
        check_invocable(function, Invoker(SERVICE, rule.arn, config.account_id))
    if known is not None:
        rule.verb = "UPDATE"
        for gone in [each for each in known.accounts if each in excluded]:
            _withdraw(known, gone, config.region_name)
    config.organization_rules[name] = rule
    for account in organization.members():
        if account.state == "ACTIVE" and account.id not in excluded:
            _deploy(rule, account.id, config.region_name)
    return rule


def find(config: SandboxConfig, names: Sequence[str] | None) -> list[OrganizationRule]:
    """Answer the rules of these names, or all."""
    administered(config)
    known: dict[str, OrganizationRule] = config.organization_rules
    for name in names or ():
        if name not in known:
            message = f"The OrganizationConfigRule '{name}' provided in the request is invalid."
            raise refusals.ConfigRefusal("NoSuchOrganizationConfigRuleException", message)
    return [known[name] for name in sorted(names or known)]


def delete(config: SandboxConfig, name: str) -> None:
    (rule,) = find(config, [name])
    for account in list(rule.accounts):
        _withdraw(rule, account, config.region_name)
    del config.organization_rules[name]


def administered(config: SandboxConfig) -> SandboxOrganizations:
    """Answer the organization for which an account may do this: its management, or whom that has registered for it."""
    partition = get_partition(config.region_name)
    organization = find_organization_of(config.account_id, partition)
    if organization is None:
        message = "The account is not a member of an organization."
        raise refusals.ConfigRefusal("NoAvailableOrganizationException", message)
    is_management = organization.account_id == config.account_id
    if not is_management and not organization.is_administrator(config.account_id, ADMINISTRATION):
        message = (
            f"This action can only be performed by the management account, or by an administrator of {ADMINISTRATION}."
        )
        raise refusals.ConfigRefusal("OrganizationAccessDeniedException", message)
    if organization.organization.feature_set != "ALL":
        message = "The organization does not have all features enabled."
        raise refusals.ConfigRefusal("OrganizationAllFeaturesNotEnabledException", message)
    if not organization.is_trusted(ADMINISTRATION):
        # AWS gives it, with the caller's permissions, when the management account is the first to call.
        if not is_management:
            message = f"Trusted access for {ADMINISTRATION} is not enabled."
            raise refusals.ConfigRefusal("OrganizationAccessDeniedException", message)
        organization.enable_aws_service_access(ServicePrincipal=ADMINISTRATION)
    return organization


def _deploy(rule: OrganizationRule, account: str, region: str, *, waits: bool = False) -> None:
    """Put the rule into an account; one that has just come may wait for its recorder."""
    shown = {"AccountId": account, "ConfigRuleName": rule.member_name, "LastUpdateTime": unix_time()}
    config = find_config(account, region)
    if waits and not config.recorders:
        rule.accounts[account] = {**shown, "MemberAccountRuleStatus": _WAITS}
        return
    try:
        config.put_rule(rule.member_name, rule_of(rule.given), {}, by=ADMINISTRATION)
    except JsonRESTError as error:
        failed = {"ErrorCode": _CODES.get(error.error_type, error.error_type), "ErrorMessage": str(error.message)}
        rule.accounts[account] = {**shown, "MemberAccountRuleStatus": f"{rule.verb}_FAILED", **failed}
    else:
        rule.accounts[account] = {**shown, "MemberAccountRuleStatus": f"{rule.verb}_SUCCESSFUL"}


_CODES = {"NoAvailableConfigurationRecorderException": "NoAvailableConfigurationRecorder"}
"""[H]: AWS's codes for what fails in an account are the exceptions' names, cut short."""


def _withdraw(rule: OrganizationRule, account: str, region: str) -> None:
    rule.accounts.pop(account, None)
    config = find_config(account, region)
    if rule.member_name in config.config_rules:
        config.drop_rule(rule.member_name)


def _rules_over(management: str, partition: str) -> Iterator[tuple[OrganizationRule, str]]:
    """Answer the rules of an organization, whichever account has put them, with their Regions."""
    for config in known_configs():
        owner = find_organization_of(config.account_id, partition) if config.organization_rules else None
        if owner is not None and owner.account_id == management:
            yield from ((rule, config.region_name) for rule in config.organization_rules.values())


def deploy_waiting(config: SandboxConfig) -> None:
    """Make the rules for which an account has waited that has a recorder now."""
    partition = get_partition(config.region_name)
    organization = find_organization_of(config.account_id, partition)
    if organization is None:
        return
    for rule, region in _rules_over(organization.account_id, partition):
        waits = rule.accounts.get(config.account_id, {}).get("MemberAccountRuleStatus") == _WAITS
        if waits and region == config.region_name:
            _deploy(rule, config.account_id, region)


def _hear_of(change: MembershipChange) -> None:
    for rule, region in list(_rules_over(change.management_account, change.partition)):
        if not change.source and change.account not in rule.given["ExcludedAccounts"]:
            _deploy(rule, change.account, region, waits=True)
        elif not change.destination:
            _withdraw(rule, change.account, region)


def hear_of_accounts() -> None:
    """From now on."""
    subscribe(_hear_of)
