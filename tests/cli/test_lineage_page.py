"""The page of a picture: what is in it, and what it does in a browser."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.render import lineage_page as page_module
from cli.render.lineage_page import LIBRARY, lineage_page
from cli.render.lineage_picture import Attribute, Node, Picture
from handlers.lineage.model import Kind, Relation
from org.errors import printable
from tests.support.browser import Browser, Keys, chromium, require_chromium
from tests.support.pictures import BUILD, edge, key, large_picture, node, proof, small_picture

ASSETS = Path(page_module.__file__).parent / "assets"
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<!--<script>",
    "javascript:window.hacked=1",
    "\"'`&lt;${window.hacked = 1}",
    "line\u2028and\u2029paragraph\x00\n\t",
    "\u202egpj.exe",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\ud800 alone",
    "__proto__",
    "x" * 5000,
)


def data_of(html: str) -> str:
    found = re.search(r'<script type="application/json" id="picture">(.*?)</script>', html, re.DOTALL)
    assert found
    return found[1]


def hostile_picture() -> Picture:
    start = key(Kind.IMAGE, "ami-1")
    nodes = [node(start, "start", BUILD, "available", 0)]
    for number, text in enumerate(HOSTILE):
        said = (Attribute(text, text, dataclasses.replace(proof(number), actor=text, event_id=text)),)
        thing = key(Kind.IMAGE, f"{text}{number}")
        nodes.append(Node(thing, "image", text, text, text, text, text, 1, said))
    edges = [
        dataclasses.replace(edge(each.key, Relation.COPIED_FROM, start, 1), says=each.label, why=each.label)
        for each in nodes[1:]
    ]
    return Picture(HOSTILE[0], start, tuple(nodes), tuple(edges), complete=True)


# What is in it -------------------------------------------------------------------------------------------------------


def test_the_same_picture_gives_the_same_bytes_in_whatever_order_it_is_told() -> None:
    picture = small_picture()
    turned = dataclasses.replace(picture, nodes=picture.nodes[::-1], edges=picture.edges[::-1])
    assert lineage_page(picture) == lineage_page(turned)


def test_an_edge_that_leads_out_of_the_picture_is_refused() -> None:
    picture = small_picture()
    with pytest.raises(ValueError, match="leads out of the picture"):
        lineage_page(dataclasses.replace(picture, nodes=picture.nodes[1:]))


def test_a_start_that_is_not_in_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="is not in the picture"):
        lineage_page(Picture("none", key(Kind.IMAGE, "ami-1"), (), (), complete=True))


def test_the_library_is_the_published_file_with_its_licence() -> None:
    stated = re.search(r"SHA-256: `([0-9a-f]{64})`", (ASSETS / "README.md").read_text(encoding="utf-8"))
    assert stated
    assert hashlib.sha256((ASSETS / LIBRARY).read_bytes()).hexdigest() == stated[1]
    licence = (ASSETS / "cytoscape.LICENSE.txt").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in licence
    assert licence.splitlines()[0] in lineage_page(small_picture())


@pytest.mark.parametrize("name", ["lineage_page.css", "lineage_panel.js", "lineage_page.js", LIBRARY])
def test_nothing_in_our_scripts_ends_their_element_or_is_changed_by_a_parser(name: str) -> None:
    text = (ASSETS / name).read_bytes().decode()
    assert not re.search(r"</script|</style|<!--|\r|\0", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["lineage_panel.js", "lineage_page.js"])
def test_our_scripts_make_no_markup_of_text(name: str) -> None:
    text = (ASSETS / name).read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|DOMParser|srcdoc", text)


@given(st.text(st.characters(), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_leaves_the_block_of_data(text: str) -> None:
    start = key(Kind.IMAGE, "ami-1")
    picture = Picture(text, start, (Node(start, "image", text, text, text, text, text, 0),), (), complete=True)
    data = data_of(lineage_page(picture))
    assert not re.search("[<>&\u2028\u2029\x00-\x1f]", data)
    assert json.loads(data)["nodes"][0]["label"] == printable(text)


def test_a_long_name_is_cut_in_its_middle_on_the_drawing_only() -> None:
    start = key(Kind.IMAGE, "ami-1")
    name = "golden-" + "x" * 80 + "-final"
    picture = Picture("p", start, (node(start, name, BUILD, "available", 0),), (), complete=True)
    (drawn,) = json.loads(data_of(lineage_page(picture)))["nodes"]
    assert drawn["label"] == name
    assert len(drawn["text"].split("\n")[0]) == 24
    assert drawn["text"].startswith("golden-")
    assert "-final\n" in drawn["text"]


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        ("available", "usable"),
        ("InService", "usable"),
        ("deregistered", "gone"),
        ("disabled", "held"),
        ("?", "unknown"),
    ],
)
def test_a_state_is_shown_by_what_it_means_for_use(state: str, standing: str) -> None:
    start = key(Kind.IMAGE, "ami-1")
    picture = Picture("p", start, (node(start, "name", BUILD, state, 0),), (), complete=True)
    assert json.loads(data_of(lineage_page(picture)))["nodes"][0]["standing"] == standing


# What it does in a browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    require_chromium()
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, picture in (("small", small_picture()), ("hostile", hostile_picture()), ("large", large_picture(2000))):
        made[name] = folder / f"{name}.html"
        made[name].write_text(lineage_page(picture), encoding="utf-8")
    return made


@pytest.fixture
def small(browser: Browser, pages: dict[str, Path]) -> Iterator[Browser]:
    browser.open(pages["small"])
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == [pages["small"].as_uri()]


def number_of(label: str) -> int:
    return _sorted_labels().index(label)


def _sorted_labels() -> list[str]:
    return [each["label"] for each in json.loads(data_of(lineage_page(small_picture())))["nodes"]]


def test_an_incomplete_answer_says_so_with_its_reasons(small: Browser) -> None:
    said = small.text("#completeness")
    assert "Incomplete" in said
    assert "only its name is known: how it was made was not seen" in said
    assert "777788889999/eu-west-1" in said
    assert small.element("#completeness li").is_displayed()


def test_the_asked_thing_and_its_evidence_are_shown_at_first(small: Browser) -> None:
    facts = small.text("#facts")
    assert "golden-linux-2026-09" in facts
    assert "7f3b1c52-0000-4000-8000-000000000028" in facts


def test_a_click_on_a_thing_shows_its_facts(small: Browser) -> None:
    where = small.run("return lineage.drawn(arguments[0])", f"n{number_of('golden-linux-hardened')}")
    small.click_at(where["x"], where["y"])
    small.until("return document.querySelector('#facts h2').textContent === 'golden-linux-hardened'")
    facts = small.text("#facts")
    for part in ("quarantined", "444455556666", "was built by", "arn:aws:iam::444455556666:role/operator"):
        assert part in facts


def test_a_click_on_a_line_shows_its_evidence(small: Browser) -> None:
    number = small.run("return picture.edges.findIndex((each) => each.relation === 'CREATED_FROM')")
    where = small.run("return lineage.drawn(arguments[0])", f"e{number}")
    small.click_at(where["x"], where["y"])
    small.until("return document.querySelector('#facts h2').textContent === 'A hop of descent'")
    facts = small.text("#facts")
    for part in ("was made from the disks of", "unverified: the machine could write on its disks", "CREATED_FROM"):
        assert part in facts
    for part in ("2026-09-21T14:18:20Z", "cloudtrail, observed", "role/image-builder", "-000000000005"):
        assert part in small.text("#facts .evidence")


def test_a_click_on_a_neighbour_goes_there_and_one_on_nothing_clears(small: Browser) -> None:
    small.run("document.querySelectorAll('#facts .hop .go:not(.way)')[0].click()")
    assert small.text("#facts h2") == "image-builder-4711"
    box = small.run(
        "const { left, bottom } = document.getElementById('graph').getBoundingClientRect(); return [left, bottom]"
    )
    small.click_at(box[0] + 4, box[1] - 4)
    small.until("return document.querySelector('#facts h2').textContent === 'Facts'")


@pytest.mark.parametrize(("query", "hits"), [("WEB-", 4), ("i-0b7d5c3a1f2e4010", 3)])
def test_search_finds_by_name_and_id_and_enter_goes_from_hit_to_hit(small: Browser, query: str, hits: int) -> None:
    small.element("#query").send_keys(query)
    assert small.text("#hits") == f"{hits} found"
    seen = []
    for number in range(hits + 1):
        small.keys(Keys.ENTER)
        assert small.text("#hits") == f"{number % hits + 1} of {hits}"
        seen.append(small.text("#facts h2"))
    assert len(set(seen)) == hits
    assert seen[0] == seen[-1]
    small.until("return !lineage.cy.animated()")
    box = small.run("return document.getElementById('graph').getBoundingClientRect().toJSON()")
    where = small.run("return lineage.drawn(lineage.cy.nodes('.chosen').id())")
    assert where["x"] == pytest.approx(box["left"] + box["width"] / 2, abs=2)
    assert where["y"] == pytest.approx(box["top"] + box["height"] / 2, abs=2)


@pytest.mark.parametrize(("query", "hits"), [("777788889999", "6 found"), ("nothing like it", "none found"), ("", "")])
def test_search_finds_by_account_and_says_when_there_is_none(small: Browser, query: str, hits: str) -> None:
    small.element("#query").send_keys(query)
    assert small.text("#hits") == hits


def test_a_kind_can_be_hidden_and_is_not_found_then(small: Browser) -> None:
    small.element("#legend input[value=instance]").click()
    small.until("return lineage.cy.nodes(':visible').length === 13")  # styles follow with the next frame
    small.element("#query").send_keys("web-1")
    assert small.text("#hits") == "none found"
    small.element("#legend input[value=instance]").click()
    assert small.text("#hits") == "1 found"
    small.until("return lineage.cy.nodes(':visible').length === 18")


def test_the_page_can_be_used_with_the_keyboard_alone(small: Browser) -> None:
    small.keys("/")
    assert small.run("return document.activeElement.id") == "query"
    small.keys("golden-linux-restored", Keys.ENTER, Keys.ESCAPE)
    assert small.run("return document.activeElement.id") == "graph"
    walked = []
    for press in (Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.HOME):
        small.keys(press)
        walked.append(small.text("#facts h2"))
    assert walked[:3] == ["golden-2026-09.bin", "golden-linux-2026-09-dr", "golden-linux-2026-09"]
    assert len({walked[3], walked[4]}) == 2
    assert walked[5] == "golden-linux-2026-09"
    before = small.run("return lineage.cy.zoom()")
    small.until("return !lineage.cy.animated()")
    small.keys("+", "+")
    assert small.run("return lineage.cy.zoom()") > before
    small.keys("0", Keys.ENTER)
    assert small.run("return document.activeElement.id") == "facts"
    small.keys(Keys.ESCAPE, Keys.ESCAPE)
    assert small.text("#facts h2") == "Facts"


def test_every_line_and_state_of_the_picture_is_in_the_legend(small: Browser) -> None:
    legend = small.text("#legend")
    for part in ("verified", "unverified", "reference", "approved", "held", "gone", "known by name only", "snapshot"):
        assert part in legend
    assert "foreign" not in legend


def test_dark_and_light_are_followed_while_the_page_is_open(small: Browser) -> None:
    seen = "return lineage.cy.nodes('.asked').style('background-color')"
    light = small.run(seen)
    try:
        small.prefer("dark")
        small.until(f"{seen} !== arguments[0]", light)
    finally:
        small.prefer("light")
    small.until(f"{seen} === arguments[0]", light)


def test_the_policy_lets_no_other_script_run_and_nothing_be_loaded(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["small"])
    browser.run(
        "const image = document.createElement('img'); image.src = 'https://example.invalid/x';"
        "const style = document.createElement('style'); style.textContent = 'body { display: none }';"
        "document.body.append(image, style)"
    )
    refused = browser.run(
        "try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>') } catch (error) { return error.name }"
    )
    assert refused == "TypeError"
    assert browser.run("return getComputedStyle(document.body).display") == "flex"
    complaints = [each for each in browser.complaints() if "Content Security Policy" in each]
    assert [each for each in complaints if "example.invalid" in each and "img-src" in each]
    assert [each for each in complaints if "style-src" in each]


def test_hostile_values_are_shown_as_text_and_do_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    for number in range(len(HOSTILE) + 1):
        browser.element("#fit").click()
        where = browser.run("return lineage.drawn(arguments[0])", f"n{number}")
        browser.click_at(where["x"], where["y"])
        label = browser.run("return picture.nodes[arguments[0]].label", number)
        browser.until("return document.querySelector('#facts h2').textContent === arguments[0]", label)
    labels = browser.run("return picture.nodes.map((each) => each.label)")
    assert sorted(labels) == sorted(["start", *map(printable, HOSTILE)])
    assert browser.run("return document.title") == HOSTILE[0]
    assert browser.run("return window.hacked === undefined")
    assert browser.run("return document.querySelectorAll('img, body script').length") == 4
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.complaints() == []
    assert browser.requests() == [pages["hostile"].as_uri()]


def test_two_thousand_things_are_drawn_found_and_clicked_without_stalling(
    browser: Browser, pages: dict[str, Path]
) -> None:
    drawn = browser.open(pages["large"])
    assert browser.run("return lineage.cy.nodes(':visible').length") == 2000
    # The figure is the benchmark's; this only catches what is out of all proportion, on a machine under load.
    assert drawn < 20_000
    browser.element("#query").send_keys("app-57-3")
    browser.keys(Keys.ENTER)
    assert browser.text("#facts h2") == "app-57-3"
    number = browser.run("return lineage.cy.nodes('.chosen').data('number')")
    where = browser.run("return lineage.drawn(`n${arguments[0] + 1}`)", number)
    browser.click_at(where["x"], where["y"])
    browser.until("return document.querySelector('#facts h2').textContent === 'app-57-4'")
    assert browser.complaints() == []
