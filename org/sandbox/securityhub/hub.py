"""The hub of an account and Region: what is imported into it, and what those who look into it say.

An import sends `Security Hub Findings - Imported` for each finding, BatchUpdateFindings too.
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-integration-types.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from types import ModuleType
from typing import Any

from moto.core.utils import utcnow
from moto.securityhub import urls
from moto.securityhub.models import SecurityHubBackend, securityhub_backends
from moto.utilities.utils import get_partition

from org.sandbox.organizations import find_organization_of
from org.sandbox.securityhub import filters, findings, refusals
from org.sandbox.securityhub.asff import problems_of
from org.sandbox.securityhub.filters import Filters
from org.sandbox.securityhub.findings import Finding
from org.sandbox.securityhub.insights import Insights
from org.sandbox.trail import events

MOST_AT_ONCE = 100
IMPORTED = "Security Hub Findings - Imported"
Failure = dict[str, str]
_Key = tuple[str, str]


class SandboxHub(SecurityHubBackend):
    """In the place of moto's."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.kept: dict[_Key, Finding] = {}
        """By product and id."""
        self.overruled: dict[_Key, frozenset[str]] = {}
        """The provider's fields that BatchUpdateFindings has set."""
        self.insights = Insights(self.arn)
        self.auto_enable_controls = True
        self.generator = "SECURITY_CONTROL"
        self.administrator = ""
        """Of a management account's hub: who administers the organization's."""
        self.organization_settings: dict[str, Any] = {}

    @property
    def _url_module(self) -> ModuleType:
        return urls  # moto looks for it beside the class

    @property
    def arn(self) -> str:
        return f"arn:{get_partition(self.region_name)}:securityhub:{self.region_name}:{self.account_id}"

    @property
    def default_product(self) -> str:
        return f"{self.arn}:product/{self.account_id}/default"

    def require_enabled(self) -> None:
        """Raise InvalidAccessException where nobody has enabled Security Hub."""
        if not self.enabled:
            raise refusals.not_enabled(self.account_id)

    def enable(self, tags: Mapping[str, str], *, controls: bool = True, generator: str = "SECURITY_CONTROL") -> None:
        if self.enabled:
            raise refusals.conflict(f"Account {self.account_id} is already subscribed to Security Hub")
        self.enable_security_hub(tags=dict(tags))
        self.auto_enable_controls, self.generator = controls, generator

    def disable(self) -> None:
        """Forget findings, insights and custom actions [H: AWS keeps findings for 90 days, in case it comes back]."""
        self.require_enabled()
        self.enabled, self.enabled_at = False, None
        self.kept.clear()
        self.overruled.clear()
        self.insights = Insights(self.arn)

    def describe(self, hub_arn: str | None) -> dict[str, Any]:
        self.require_enabled()
        own = f"{self.arn}:hub/default"
        if hub_arn and hub_arn != own:
            raise refusals.not_found(f"Hub {hub_arn} was not found")
        return {
            "HubArn": own,
            "SubscribedAt": self.enabled_at,
            "AutoEnableControls": self.auto_enable_controls,
            "ControlFindingGenerator": self.generator,
        }

    # --- findings

    def import_findings(self, given: Sequence[Any]) -> list[Failure]:
        """Take findings, and answer those that are not taken, with the reason."""
        self.require_enabled()
        if not 1 <= len(given) <= MOST_AT_ONCE:
            raise refusals.invalid(
                f"Invalid parameter 'Findings'. data.Findings should have 1 to {MOST_AT_ONCE} items."
            )
        failures = []
        for each in given:
            problem = self._import(each)
            if problem:
                id = each.get("Id", "") if isinstance(each, dict) else ""
                failures.append({"Id": str(id), "ErrorCode": "InvalidInput", "ErrorMessage": problem})
        return failures

    def _import(self, given: Any) -> str:
        """Answer why the finding is not taken; nothing if it is."""
        problems = problems_of(given)
        if problems:
            return f"Finding does not adhere to Amazon Finding Format. {', '.join(problems)}."
        if given["ProductArn"] != self.default_product:
            # The gate refuses those of other accounts; integrations of partners are not emulated.
            return f"The product {given['ProductArn']} is not enabled for import in account {self.account_id}."
        if given["AwsAccountId"] != self.account_id:
            return f"AwsAccountId {given['AwsAccountId']} is not the account that calls, {self.account_id}."
        key = (given["ProductArn"], given["Id"])
        known = self.kept.get(key)
        if known is None:
            finding = findings.first_import(given, self.region_name, self._account_name(), _now_written())
        elif findings.moment_of(given["UpdatedAt"]) <= findings.moment_of(known["UpdatedAt"]):
            return f"UpdatedAt {given['UpdatedAt']} is not later than that of the finding, {known['UpdatedAt']}."
        else:
            finding = findings.import_again(
                known, given, self.region_name, self.overruled.get(key, frozenset()), _now_written()
            )
        self.kept[key] = finding
        self.tell(IMPORTED, [f"{given['ProductArn']}/{given['Id']}"], {"findings": [finding]})
        return ""

    def _account_name(self) -> str:
        organization = find_organization_of(self.account_id, get_partition(self.region_name))
        return str(organization.get_account_by_id(self.account_id).name) if organization is not None else ""

    def tell(self, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
        events.notify("aws.securityhub", detail_type, self.account_id, self.region_name, detail, resources)

    def find(self, asked: Filters, order: Sequence[Mapping[str, str]] = ()) -> list[Finding]:
        """Answer the findings that one sees here: an administrator, those of the members as well."""
        self.require_enabled()
        now = utcnow().replace(tzinfo=UTC)
        seen = (finding for hub in self.visible_hubs() for finding in hub.kept.values())
        return filters.sort((each for each in seen if filters.matches(each, asked, now)), order)

    def visible_hubs(self) -> Iterator[SandboxHub]:
        """Answer this hub, and those of the organization's accounts that it administers."""
        yield self
        organization = find_organization_of(self.account_id, get_partition(self.region_name))
        if organization is None or find_hub(organization.account_id, self.region_name).administrator != self.account_id:
            return
        for account in organization.members():
            hub = known_hub(account.id, self.region_name)
            if hub is not None and hub is not self and hub.enabled:
                yield hub

    def update_findings(
        self, identifiers: Sequence[Mapping[str, str]], asked: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Answer the identifiers of the findings that were updated, and of those that were not, with the reason.

        https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindingsUnprocessedFinding.html
        """
        self.require_enabled()
        if not 1 <= len(identifiers) <= MOST_AT_ONCE:
            raise refusals.invalid(f"FindingIdentifiers should have 1 to {MOST_AT_ONCE} items.")
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for each in identifiers:
            key = (each["ProductArn"], each["Id"])
            hub = next((hub for hub in self.visible_hubs() if key in hub.kept), None)
            named = {"Id": each["Id"], "ProductArn": each["ProductArn"]}
            if hub is None:
                code = "FindingNotFound"
                failed.append({"FindingIdentifier": named, "ErrorCode": code, "ErrorMessage": "Finding Not Found"})
                continue
            hub.kept[key], overruled = findings.update(hub.kept[key], asked, _now_written())
            hub.overruled[key] = hub.overruled.get(key, frozenset()) | overruled
            hub.tell(IMPORTED, ["/".join(key)], {"findings": [hub.kept[key]]})
            done.append(named)
        return done, failed


def _now_written() -> str:
    return utcnow().replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def find_hub(account: str, region: str) -> SandboxHub:
    hub = securityhub_backends[account][region]
    assert isinstance(hub, SandboxHub), "install() has not run"
    return hub


def known_hub(account: str, region: str) -> SandboxHub | None:
    """Answer a hub without making one."""
    regions: Any = dict.get(securityhub_backends, account) or {}
    hub = dict.get(regions, region)
    return hub if isinstance(hub, SandboxHub) else None


def known_hubs() -> Iterator[SandboxHub]:
    """Answer every hub that somebody has asked for, of any account and Region."""
    for regions in list(dict.values(securityhub_backends)):
        yield from (hub for hub in list(dict.values(regions)) if isinstance(hub, SandboxHub))


def install_hubs() -> None:
    securityhub_backends.backend = SandboxHub
    securityhub_backends.clear()
