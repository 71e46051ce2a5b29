"""Security Hub's operations, as its REST API has them.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from moto.securityhub import urls
from moto.securityhub.responses import SecurityHubResponse

from org.sandbox.page_tokens import read_token, write_token
from org.sandbox.securityhub import administration, filters, refusals
from org.sandbox.securityhub.hub import SandboxHub, find_hub, install_hubs
from org.sandbox.securityhub.insights import listed

_MOST_ON_A_PAGE = 100
_MOST_GROUPS = 100

_PATHS = (
    "accounts", "findings", "findings/import", "findings/batchupdate", "insights", "insights/get",
    "insights/results/(?P<arn>.+)", "insights/(?P<arn>.+)", "actionTargets", "actionTargets/get",
    "actionTargets/(?P<arn>.+)",
    "organization/admin", "organization/admin/enable", "organization/admin/disable", "organization/configuration",
    "administrator", "members", "members/get",
)  # fmt: skip


class SandboxSecurityHubResponse(SecurityHubResponse):
    """Answers each call from the hub of the caller's account, or refuses it."""

    @property
    def hub(self) -> SandboxHub:
        return find_hub(self.current_account, self.region)

    # --- the hub

    def enable_security_hub(self) -> str:
        asked = self._asked()
        generator = asked.get("ControlFindingGenerator") or "SECURITY_CONTROL"
        self.hub.enable(asked.get("Tags") or {}, generator=generator)
        return "{}"

    def update_security_hub_configuration(self) -> str:
        hub, asked = self.hub, self._asked()
        hub.require_enabled()
        hub.auto_enable_controls = asked.get("AutoEnableControls", hub.auto_enable_controls)
        hub.generator = asked.get("ControlFindingGenerator", hub.generator)
        return "{}"

    def disable_security_hub(self) -> str:
        self.hub.disable()
        return "{}"

    def describe_hub(self) -> str:
        return json.dumps(self.hub.describe(self._get_param("HubArn")))

    # --- findings

    def batch_import_findings(self) -> str:
        given = self._asked().get("Findings") or []
        failures = self.hub.import_findings(given)
        counts = {"FailedCount": len(failures), "SuccessCount": len(given) - len(failures)}
        return json.dumps({**counts, "FailedFindings": failures})

    def get_findings(self) -> str:
        asked = self._asked()
        return self._page("Findings", self.hub.find(asked.get("Filters") or {}, asked.get("SortCriteria") or []))

    def batch_update_findings(self) -> str:
        asked = self._asked()
        done, failed = self.hub.update_findings(asked.get("FindingIdentifiers") or [], asked)
        return json.dumps({"ProcessedFindings": done, "UnprocessedFindings": failed})

    # --- insights

    def create_insight(self) -> str:
        asked, hub = self._asked(), self._enabled_hub()
        arn = hub.insights.create_insight(asked["Name"], asked["Filters"], asked["GroupByAttribute"])
        return json.dumps({"InsightArn": arn})

    def update_insight(self) -> str:
        asked, hub = self._asked(), self._enabled_hub()
        given = {name: asked.get(name) for name in ("Name", "Filters", "GroupByAttribute")}
        hub.insights.update_insight(self._get_param("InsightArn"), **given)
        return "{}"

    def delete_insight(self) -> str:
        arn = self._get_param("InsightArn")
        self._enabled_hub().insights.delete_insight(arn)
        return json.dumps({"InsightArn": arn})

    def get_insights(self) -> str:
        known = self._enabled_hub().insights.insights
        return self._page("Insights", listed(known, self._asked().get("InsightArns"), "Insight"))

    def get_insight_results(self) -> str:
        insight = self._enabled_hub().insights.find_insight(self._get_param("InsightArn"))
        group = insight["GroupByAttribute"]
        counted = filters.count(self.hub.find(insight["Filters"]), group)[:_MOST_GROUPS]
        values = [{"GroupByAttributeValue": value, "Count": count} for value, count in counted]
        results = {"InsightArn": insight["InsightArn"], "GroupByAttribute": group, "ResultValues": values}
        return json.dumps({"InsightResults": results})

    # --- custom actions

    def create_action_target(self) -> str:
        asked, hub = self._asked(), self._enabled_hub()
        arn = hub.insights.create_action(asked["Name"], asked["Description"], asked["Id"])
        return json.dumps({"ActionTargetArn": arn})

    def update_action_target(self) -> str:
        asked, hub = self._asked(), self._enabled_hub()
        hub.insights.update_action(self._get_param("ActionTargetArn"), asked.get("Name"), asked.get("Description"))
        return "{}"

    def delete_action_target(self) -> str:
        arn = self._get_param("ActionTargetArn")
        self._enabled_hub().insights.delete_action(arn)
        return json.dumps({"ActionTargetArn": arn})

    def describe_action_targets(self) -> str:
        known = self._enabled_hub().insights.actions
        return self._page("ActionTargets", listed(known, self._asked().get("ActionTargetArns"), "Action target"))

    # --- the organization's administrator

    def enable_organization_admin_account(self) -> str:
        administration.enable(self.hub, self._asked()["AdminAccountId"])
        return "{}"

    def disable_organization_admin_account(self) -> str:
        administration.disable(self.hub, self._asked()["AdminAccountId"])
        return "{}"

    def list_organization_admin_accounts(self) -> str:
        return self._page("AdminAccounts", administration.listed(self.hub))

    def get_administrator_account(self) -> str:
        return json.dumps(administration.of_member(self.hub))

    def describe_organization_configuration(self) -> str:
        return json.dumps(administration.describe(self.hub))

    def update_organization_configuration(self) -> str:
        administration.update(self.hub, self._asked())
        return "{}"

    def list_members(self) -> str:
        return self._page("Members", administration.members(self.hub))

    # --- the form of requests and answers

    def _enabled_hub(self) -> SandboxHub:
        hub = self.hub
        hub.require_enabled()
        return hub

    def _asked(self) -> dict[str, Any]:
        body = self.body.decode() if isinstance(self.body, bytes) else self.body
        asked: dict[str, Any] = json.loads(body) if body else {}
        return asked

    def _page(self, key: str, items: Sequence[Any]) -> str:
        size = int(self._get_param("MaxResults") or _MOST_ON_A_PAGE)
        if not 1 <= size <= _MOST_ON_A_PAGE:
            raise refusals.invalid(f"Invalid parameter 'MaxResults'. It should be between 1 and {_MOST_ON_A_PAGE}.")
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
            raise refusals.invalid("Invalid parameter 'NextToken'. It is not of an earlier answer to this call.")
        return start

    def _checksum(self) -> int:
        """Tell the requests apart for which a token is no good."""
        asked = {name: value for name, value in self._asked().items() if name not in {"NextToken", "MaxResults"}}
        return zlib.crc32(json.dumps([self._get_action(), asked], sort_keys=True).encode())


def install() -> None:
    install_hubs()
    urls.url_paths = {f"{{0}}/{path}$": SandboxSecurityHubResponse.dispatch for path in _PATHS}
