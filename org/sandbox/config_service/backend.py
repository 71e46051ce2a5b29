"""AWS Config in one account and Region: its recorder, its rules, and what they found.

A rule's function is invoked when the rule is put, when evaluation is asked for, and when a resource within its scope
has changed; in the wake of the request, as EventBridge's are. There is no clock: a rule's schedule passes when
StartConfigRulesEvaluation is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from moto.config import urls
from moto.config.models import config_backends
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from org.sandbox.authorization.denial import Denied
from org.sandbox.config_service import refusals, rules
from org.sandbox.config_service.evaluations import Evaluations, check_evaluations
from org.sandbox.config_service.events import Circumstance, changed, now, payload, scheduled
from org.sandbox.config_service.items import OK, Resource
from org.sandbox.config_service.recording import Recording
from org.sandbox.config_service.rules import ON_CHANGE, ON_SCHEDULE, ON_SNAPSHOT, Rule
from org.sandbox.functions import invocations
from org.sandbox.functions.invocations import Invoker, Refused

if TYPE_CHECKING:
    from org.sandbox.config_service.organization_rules import OrganizationRule

SERVICE = "config.amazonaws.com"
_MOST_RULES = 1_000
"""https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html"""


class SandboxConfig(Recording):
    """In the place of moto's."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.config_rules: dict[str, Rule] = {}  # type: ignore[assignment]  # moto only reads ARN and tags of them
        self.evaluations = Evaluations()
        self.organization_rules: dict[str, OrganizationRule] = {}
        """Those that this account has put."""

    @property
    def _url_module(self) -> ModuleType:
        return urls  # moto looks for it beside the class

    # --- rules

    def put_config_rule(self, config_rule: dict[str, Any], tags: list[dict[str, str]] | None = None) -> str:
        name = rules.check_name(self._name_of(config_rule))
        known = self.config_rules.get(name)
        if known is not None and known.created_by:
            raise refusals.owned_by_service()
        if known is None and (config_rule.get("ConfigRuleArn") or config_rule.get("ConfigRuleId")):
            raise refusals.invalid("ConfigRule Arn and Id can not be specified when creating a new ConfigRule.")
        if config_rule.get("CreatedBy"):
            raise refusals.invalid("AWS Config populates the CreatedBy field for ServiceLinkedConfigRule.")
        self.put_rule(name, config_rule, {each["Key"]: each["Value"] for each in tags or []})
        return ""

    def put_rule(self, name: str, given: Mapping[str, Any], tags: Mapping[str, str], by: str = "") -> Rule:
        """Make or change a rule, `by` a service or for the caller, and have it judge what there is.

        Raises NoAvailableConfigurationRecorderException without a recorder, and InsufficientPermissionsException where
        the function may not be invoked for the rule.
        """
        checked = rules.check(given)
        known = self.config_rules.get(name)
        if not self.recorders:
            raise refusals.no_recorder()
        if known is None and len(self.config_rules) >= _MOST_RULES:
            message = f"Failed to put config rule '{name}' because the maximum number of rules is reached."
            raise refusals.ConfigRefusal("MaxNumberOfConfigRulesExceededException", message)
        id = known.config_rule_id if known else f"config-rule-{mock_random.get_random_string(6, lower_case=True)}"
        arn = f"arn:{get_partition(self.region_name)}:config:{self.region_name}:{self.account_id}:config-rule/{id}"
        kept = dict(known.tags) if known else {}
        status = dict(known.status) if known else {"FirstActivatedTime": unix_time(), "FirstEvaluationStarted": False}
        rule = Rule(name, id, arn, checked, by, {**kept, **tags}, status)
        if rule.function:
            check_invocable(rule.function, Invoker(SERVICE, arn, self.account_id))
        self.config_rules[name] = rule
        self.evaluate(rule)
        return rule

    def _name_of(self, given: Mapping[str, Any]) -> str:
        asked = (given.get("ConfigRuleId"), given.get("ConfigRuleArn"))
        found = (each for each in self.config_rules.values() if {each.config_rule_id, each.config_rule_arn} & {*asked})
        return str(given.get("ConfigRuleName") or next((each.config_rule_name for each in found), ""))

    def find_rules(self, names: Sequence[str] | None) -> list[Rule]:
        """Answer the rules of these names, or all, by name."""
        for name in names or ():
            if name not in self.config_rules:
                raise refusals.no_rule(name)
        chosen = names or self.config_rules
        return [self.config_rules[name] for name in sorted(chosen)]

    def delete_config_rule(self, rule_name: str) -> None:
        (rule,) = self.find_rules([rule_name])
        if rule.created_by:
            raise refusals.owned_by_service()
        self.drop_rule(rule_name)

    def drop_rule(self, name: str) -> None:
        rule = self.config_rules.pop(name)
        self.evaluations.forget(rule.config_rule_id)

    # --- evaluation

    def tell_rules(self, resource: Resource, status: str, before: Resource | None) -> None:
        """Have the rules judge a resource that concern it, or concerned it before."""
        item = self.new_item(resource, status)
        for rule in list(self.config_rules.values()):
            if not rule.function or ON_CHANGE not in rule.triggers:
                continue
            covers = rule.covers(resource.type, resource.id, resource.tags)
            left = not covers and before is not None and rule.covers(before.type, before.id, before.tags)
            if covers or left:
                self._invoke(rule, changed(item, now()), left=left)

    def start_evaluation(self, names: Sequence[str]) -> None:
        """Have rules judge anew: those with a schedule once, those on changes each resource that is recorded."""
        if not 1 <= len(names) <= 25:
            raise refusals.unlawful("configRuleNames", "Member must have length from 1 to 25")
        for rule in self.find_rules(names):
            self.evaluate(rule)

    def evaluate(self, rule: Rule) -> None:
        if not rule.function:
            return
        if rule.triggers & {ON_SCHEDULE, ON_SNAPSHOT}:
            self._invoke(rule, scheduled(self.account_id, now()))
        if ON_CHANGE in rule.triggers:
            for resource in list(self.seen.values()):
                if rule.covers(resource.type, resource.id, resource.tags):
                    self._invoke(rule, changed(self.new_item(resource, OK), now()))

    def _invoke(self, rule: Rule, happened: Circumstance, *, left: bool = False) -> None:
        token = self.evaluations.new_token(rule.config_rule_id)
        event = payload(rule, happened, token, left=left, role=self.recorder_role, account=self.account_id)
        by = Invoker(SERVICE, rule.config_rule_arn, self.account_id)
        rule.status["FirstEvaluationStarted"] = True
        try:
            invocations.later(rule.function, event, by)
        except (Denied, Refused) as error:
            rule.status |= {
                "LastFailedInvocationTime": unix_time(),
                "LastErrorCode": "AccessDeniedException" if isinstance(error, Denied) else error.code,
                "LastErrorMessage": error.message if isinstance(error, Denied) else str(error),
            }
        else:
            rule.status["LastSuccessfulInvocationTime"] = unix_time()

    def put_evaluations(
        self,
        evaluations: list[dict[str, Any]] | None = None,
        result_token: str | None = None,
        test_mode: bool | None = False,
    ) -> dict[str, list[Any]]:
        """Keep what a function says, under the token of the invocation for which it says it."""
        given = check_evaluations(evaluations)
        if not result_token:
            raise refusals.unlawful("resultToken", "Member must not be null")
        if test_mode:
            return {"FailedEvaluations": []}
        invocation = self.evaluations.find_invocation(result_token)
        rule = next((each for each in self.config_rules.values() if each.config_rule_id == invocation.rule), None)
        if rule is None:
            raise refusals.no_rule(invocation.rule)
        self.evaluations.keep(invocation, given)
        rule.status["LastSuccessfulEvaluationTime"] = unix_time()
        return {"FailedEvaluations": []}


def check_invocable(function: str, by: Invoker) -> None:
    """Refuse a function that is not there, or whose policy does not let AWS Config invoke it for the rule."""
    try:
        invocations.require(invocations.find_function(function), by)
    except (Denied, Refused) as error:
        raise refusals.not_invocable(function) from error


def find_config(account: str, region: str) -> SandboxConfig:
    backend = config_backends[account][region]
    assert isinstance(backend, SandboxConfig), "install() has not run"
    return backend


def known_config(account: str, region: str) -> SandboxConfig | None:
    """Answer it without making one."""
    regions: Any = dict.get(config_backends, account) or {}
    backend = dict.get(regions, region)
    return backend if isinstance(backend, SandboxConfig) else None


def notice_changes(account: str, region: str) -> None:
    """Have the recorder of an account and Region, where there is one, record what has changed."""
    config = known_config(account, region)
    if config is not None:
        config.notice_changes()


def known_configs() -> Iterator[SandboxConfig]:
    """Answer all that there are, of any account and Region."""
    for regions in list(dict.values(config_backends)):
        yield from (config for config in list(dict.values(regions)) if isinstance(config, SandboxConfig))
