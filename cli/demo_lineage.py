"""The demo's acts on lineage: an image's life, the deployed API, and what three services of AWS say of the images."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.deploy.entry import enter
from cli.render.console import results
from org.errors import OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import AccountId, Region
from org.sandbox.session import session_for

_FACTORY, _SHOP, _LINEAGE = "Image Factory", "Shop", "AMI Lineage"
_IMAGE, _INSTANCE = r"ami-[0-9a-f]{17}", r"i-[0-9a-f]{17}"
_RULE = "ami-approval-status"
_WIDTH = 150
_POLLS = 100

Run = Callable[..., str]
"""Runs one of our own commands; answers what it printed, with `keep_output=True`."""


@dataclass(frozen=True, slots=True)
class Told:
    """What later acts need of the story."""

    golden: str
    laundered: str
    replaced: str
    """The instance whose root was replaced."""


def deploy(run: Run) -> str:
    """Deploy the lineage account; answer the URL of its API."""
    return _found(run("lineage", "deploy", "--yes", keep_output=True), r"^API: (\S+)$", "lineage deploy")


def play(run: Run) -> Told:
    played = run("sandbox", "play", "life", keep_output=True)
    return Told(
        golden=_found(played, rf"^and makes it the image ({_IMAGE})", "sandbox play life"),
        laundered=_found(played, rf"^({_IMAGE}) from that: AWS's own ancestry of it ends here", "sandbox play life"),
        replaced=_found(played, rf"^Developer in Shop replaces the root of ({_INSTANCE})", "sandbox play life"),
    )


def _found(printed: str, where: str, command: str) -> str:
    found = re.search(where, printed, re.MULTILINE)
    if found is None:
        raise OrgctlError(f"orgctl {command}", "does not say what the demo goes on with", "see its output above")
    return found[1]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What AWS Config and Security Hub hold, asked of them as anybody would."""

    endpoint: str
    region: Region
    accounts: Mapping[str, str]
    """Ids by name."""

    def tell_config(self) -> None:
        """Have two member accounts evaluate their images now, and print what AWS Config keeps of it there."""
        said: set[str] = set()
        for account in (_FACTORY, _SHOP):
            config = self._client(account, "config")
            rule = next(each for each in self._rules(config) if _RULE in each)
            config.start_config_rules_evaluation(ConfigRuleNames=[rule])
            for each in self._evaluations(config, rule):
                of = each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
                said.add(each["ComplianceType"])
                line = f"{account:<14} {each['ComplianceType']:<14} {of['ResourceId']}  {each.get('Annotation', '')}"
                results().print(line, soft_wrap=True)
        if not {"COMPLIANT", "NON_COMPLIANT"} <= said:
            raise OrgctlError("the demo", f"AWS Config tells only {', '.join(sorted(said))}", "report it, please")

    def _rules(self, config: Any) -> list[str]:  # noqa: ANN401 - boto3 makes its clients up
        pages = config.get_paginator("describe_config_rules").paginate()
        return [rule["ConfigRuleName"] for page in pages for rule in page["ConfigRules"]]

    def _evaluations(self, config: Any, rule: str) -> list[Any]:  # noqa: ANN401 - as above
        """Answer those of images; the function runs in the wake of the call."""
        for _ in range(_POLLS):
            answered = config.get_compliance_details_by_config_rule(ConfigRuleName=rule)["EvaluationResults"]
            of_images = [
                each
                for each in answered
                if each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceType"] == "AWS::EC2::Image"
            ]
            if of_images:
                return of_images
            time.sleep(0.1)
        raise OrgctlError("the demo", f"the rule {rule} has no evaluation of an image", "report it, please")

    def tell_findings(self) -> None:
        """Count the findings in Security Hub, and print one whole."""
        pages = self._client(_LINEAGE, "securityhub").get_paginator("get_findings").paginate()
        findings = [finding for page in pages for finding in page["Findings"]]
        counted = Counter(each["GeneratorId"].removeprefix("orgctl/") for each in findings)
        results().print(f"{len(findings)} findings: " + ", ".join(f"{n} {rule}" for rule, n in sorted(counted.items())))
        of_approval = [each for each in findings if each["GeneratorId"] == "orgctl/compliance/approval"]
        if not of_approval:
            raise OrgctlError(
                "the demo", "Security Hub has no finding of an image without approval", "report it, please"
            )
        one = min(of_approval, key=lambda each: str(each["Id"]))
        results().print("one of them:")
        for name, said in (
            ("title", one["Title"]),
            ("says", one["Description"]),
            ("severity", one["Severity"]["Label"]),
            ("account", one["ProductFields"]["orgctl/account"]),
            ("to do", one["Remediation"]["Recommendation"]["Text"]),
            ("id", one["Id"]),
        ):
            results().print(f"  {name:<9} {' '.join(said.split())[:_WIDTH]}", soft_wrap=True)

    def _client(self, account: str, service: str) -> Any:  # noqa: ANN401 - as above
        connection = Connection(session_for(self.endpoint, self.region), self.endpoint)
        with aws_errors(f"account {account}"):
            return enter(connection, AccountId(self.accounts[account]), self.region).client(service, self.region)
