"""The page on the published landing zone says what the engine says."""

from __future__ import annotations

import os
import re

import pytest

from tests.policy.landing_zone_table import TABLE, render_table
from tests.support.landing_zone import landing_zone_source

SOURCE = landing_zone_source()


@pytest.fixture(scope="module")
def page() -> str:
    if not SOURCE.is_dir():
        reason = f"no {SOURCE}; set ORGCTL_REAL_DATA to the folder that holds lza-universal-configuration"
        if os.environ.get("ORGCTL_REQUIRE_REAL_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return render_table(SOURCE)


def rows(page: str) -> dict[tuple[str, str], list[str]]:
    """The cells of each statement, by policy and Sid."""
    found = {}
    policy = ""
    for line in page.splitlines():
        if line.startswith("## "):
            policy = line.removeprefix("## ")
        elif policy and (match := re.match(r"\| `(\w+)` \|", line)):
            found[policy, match[1]] = [cell.strip() for cell in line.strip("|").split("|")[2:]]
    return found


def test_page_is_what_the_engine_says(page: str) -> None:
    assert TABLE.read_text(encoding="utf-8") == page, "run python -m tests.policy.landing_zone_table"


def test_every_statement_of_every_policy_has_a_row(page: str) -> None:
    written = sum(
        len(re.findall(r'"Effect"', path.read_text(encoding="utf-8")))
        for folder in ("service-control-policies", "rcp-policies")
        for path in (SOURCE / folder).glob("*.json")
    )
    assert len(rows(page)) == written


def test_summary_holds(page: str) -> None:
    found = rows(page)
    quarantine = found.pop(("lza-quarantine", "DenyAllAWSServicesExceptLZAProvisioning"))
    assert quarantine == ["**all**", "–", "**all**", "**all**", "**all**", "**all**"]
    assert not any("**" in stacksets for *_, stacksets, _ in found.values())
    suspended = found.pop(("lza-suspended-guardrails", "GRDenyAllAWSServicesForLZAProvisioning"))
    assert suspended == ["–", "**all**", "–", "–", "–", "–"]
    assert not any("**" in named for _, named, *_ in found.values())
    stopped = {sid for (_, sid), (_, _, audit, *_) in found.items() if "**" in audit}
    assert stopped == {"GRIAMR", "GRS3OBJ"}
    assert all(access_role == break_glass for access_role, *_, break_glass in found.values())
