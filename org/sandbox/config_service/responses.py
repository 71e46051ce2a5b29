"""The operations of AWS Config that moto lacks, or takes for something else.

https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from moto.config import urls
from moto.config.models import config_backends
from moto.config.responses import ConfigResponse

from org.sandbox.config_service import organization_rules, refusals
from org.sandbox.config_service.backend import SandboxConfig, find_config
from org.sandbox.page_tokens import read_token, write_token

_PAGE = 25
_MOST_ON_A_PAGE = 100
_RULE_STATES = frozenset({"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"})


class SandboxConfigResponse(ConfigResponse):
    """Answers for the caller's account and Region."""

    @property
    def config(self) -> SandboxConfig:
        return find_config(self.current_account, self.region)

    def put_configuration_recorder(self) -> str:
        answer = super().put_configuration_recorder()
        organization_rules.deploy_waiting(self.config)
        return answer

    # --- rules

    def describe_config_rules(self) -> str:
        rules = self.config.find_rules(self._get_param("ConfigRuleNames"))
        return self._page("ConfigRules", [each.show() for each in rules])

    def delete_config_rule(self) -> str:
        self.config.delete_config_rule(str(self._get_param("ConfigRuleName")))
        return ""

    def start_config_rules_evaluation(self) -> str:
        self.config.start_evaluation(self._get_param("ConfigRuleNames") or [])
        return "{}"

    def describe_config_rule_evaluation_status(self) -> str:
        shown = [
            {
                "ConfigRuleName": rule.config_rule_name,
                "ConfigRuleArn": rule.config_rule_arn,
                "ConfigRuleId": rule.config_rule_id,
                **rule.status,
            }
            for rule in self.config.find_rules(self._get_param("ConfigRuleNames"))
        ]
        return self._page("ConfigRulesEvaluationStatus", shown)

    # --- what they found

    def put_evaluations(self) -> str:
        given = self._get_param("Evaluations")
        answer = self.config.put_evaluations(given, self._get_param("ResultToken"), self._get_param("TestMode"))
        return json.dumps(answer)

    def get_compliance_details_by_config_rule(self) -> str:
        (rule,) = self.config.find_rules([str(self._get_param("ConfigRuleName"))])
        found = self.config.evaluations.show(rule.config_rule_id, rule.config_rule_name, self._types())
        return self._page("EvaluationResults", found)

    def describe_compliance_by_config_rule(self) -> str:
        types = self._types()
        shown: list[dict[str, Any]] = [
            {
                "ConfigRuleName": rule.config_rule_name,
                "Compliance": self.config.evaluations.compliance(rule.config_rule_id),
            }
            for rule in self.config.find_rules(self._get_param("ConfigRuleNames"))
        ]
        chosen = [each for each in shown if not types or each["Compliance"]["ComplianceType"] in types]
        return self._page("ComplianceByConfigRules", chosen)

    def delete_evaluation_results(self) -> str:
        (rule,) = self.config.find_rules([str(self._get_param("ConfigRuleName"))])
        self.config.evaluations.forget(rule.config_rule_id)
        return "{}"

    # --- of the organization

    def put_organization_config_rule(self) -> str:
        asked = json.loads(self.body)
        rule = organization_rules.put(self.config, str(asked.get("OrganizationConfigRuleName", "")), asked)
        return json.dumps({"OrganizationConfigRuleArn": rule.arn})

    def describe_organization_config_rules(self) -> str:
        rules = organization_rules.find(self.config, self._get_param("OrganizationConfigRuleNames"))
        return self._page("OrganizationConfigRules", [each.show() for each in rules])

    def describe_organization_config_rule_statuses(self) -> str:
        rules = organization_rules.find(self.config, self._get_param("OrganizationConfigRuleNames"))
        return self._page("OrganizationConfigRuleStatuses", [each.show_status() for each in rules])

    def get_organization_config_rule_detailed_status(self) -> str:
        (rule,) = organization_rules.find(self.config, [str(self._get_param("OrganizationConfigRuleName"))])
        wanted = self._get_param("Filters") or {}
        shown = [
            each
            for _, each in sorted(rule.accounts.items())
            if all(each.get(name) == value for name, value in wanted.items())
        ]
        return self._page("OrganizationConfigRuleDetailedStatus", shown)

    def delete_organization_config_rule(self) -> str:
        organization_rules.delete(self.config, str(self._get_param("OrganizationConfigRuleName")))
        return ""

    # --- the form of requests and answers

    def _types(self) -> list[str]:
        types: list[str] = self._get_param("ComplianceTypes") or []
        if set(types) - _RULE_STATES:
            raise refusals.unlawful("complianceTypes", f"Member must satisfy enum value set: {sorted(_RULE_STATES)}")
        return types

    def _page(self, key: str, items: Sequence[Any]) -> str:
        size = int(self._get_param("Limit") or _PAGE)
        if not 1 <= size <= _MOST_ON_A_PAGE:
            message = (
                f"Value '{size}' at 'limit' failed to satisfy constraint: it should be from 1 to {_MOST_ON_A_PAGE}"
            )
            raise refusals.ConfigRefusal("InvalidLimitException", message)
        start = self._read_token(self._get_param("NextToken"))
        answer: dict[str, Any] = {key: list(items[start : start + size])}
        if start + size < len(items):
            answer["NextToken"] = write_token(start + size, self._checksum())
        return json.dumps(answer)

    def _read_token(self, token: str | None) -> int:
        if not token:
            return 0
        start = read_token(token, self._checksum())
        if start is None:
            raise refusals.ConfigRefusal("InvalidNextTokenException", "The nextToken provided is invalid")
        return start

    def _checksum(self) -> int:
        """Tell the requests apart for which a token is no good."""
        asked = {name: value for name, value in json.loads(self.body).items() if name not in {"NextToken", "Limit"}}
        return zlib.crc32(json.dumps([self._get_action(), asked], sort_keys=True).encode())


def install() -> None:
    config_backends.backend = SandboxConfig
    config_backends.clear()
    urls.url_paths = {"{0}/$": SandboxConfigResponse.dispatch}
    organization_rules.hear_of_accounts()
