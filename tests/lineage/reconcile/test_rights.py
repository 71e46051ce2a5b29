"""The calls that the reader makes, and the rights of the role by which it makes them, are the same."""

from __future__ import annotations

import re
from pathlib import Path

from handlers.lineage.model import Time
from handlers.lineage.reconcile import reader, uses
from handlers.lineage.reconcile.reader import read_place
from stacksets.templates.lineage_roles import READS, READS_OF_AN_IMAGE
from tests.lineage.reconcile.test_reader import HOUR, NOW, world
from tests.support.ec2_answers import PLACE

RIGHTS = {each.removeprefix("ec2:") for each in (*READS, *READS_OF_AN_IMAGE)} | {"CreateImageUsageReport"}
DOCUMENT = Path(__file__).parents[3] / "docs" / "reconciliation.md"


def test_every_call_is_a_right_and_every_right_is_called():
    ec2 = world()
    ec2.permissions["ami-made"] = [{"UserId": "999988887777"}]
    first = read_place(ec2, PLACE, None, NOW)
    ec2.reports["amiur-0"]["State"] = "available"
    read_place(ec2, PLACE, first.memory, Time(NOW + HOUR))
    assert set(ec2.counts) == RIGHTS


def test_no_call_stands_in_the_code_that_was_not_made_here():
    written = {
        name
        for module in (reader, uses)
        for name in re.findall(r'"((?:Describe|Get|Create)[A-Za-z]+)"', Path(str(module.__file__)).read_text())
    }
    assert written == RIGHTS


def test_the_page_names_every_right():
    page = DOCUMENT.read_text(encoding="utf-8")
    assert set(re.findall(r"`ec2:([A-Za-z]+)`", page)) == RIGHTS
