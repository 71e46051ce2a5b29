"""A picture of lineage as one HTML page that holds all it needs: no network, no other file.

Every value in it comes from outside (names and tags are written by whoever may tag a resource), so: values are data in
a JSON block that no parser of HTML can be led out of, the script puts them into the page as text only, and the page's
own Content-Security-Policy lets nothing run but the scripts named by their hashes, and nothing be loaded at all.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import TypeAlias

from cli.render.lineage_layout import HEIGHT, WIDTH, Point, place
from cli.render.lineage_picture import Edge, Node, Picture
from handlers.lineage.model import NO_REGION, Evidence, Key, Time
from org.errors import printable

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json]"

LIBRARY = "cytoscape.min.js"
_SCRIPTS = (LIBRARY, "lineage_panel.js", "lineage_page.js")
_LABEL = 24
"""Characters that fit into a node."""

_STANDINGS: Mapping[str, frozenset[str]] = {
    "approved": frozenset({"approved"}),
    "usable": frozenset({"available", "completed", "in-use", "running", "active", "inservice", "stored", "exists"}),
    "passing": frozenset({"pending", "creating", "stopping", "stopped", "shutting-down", "deleting", "recoverable"}),
    "held": frozenset({"disabled", "quarantined", "revoked", "rejected", "error", "invalid", "expired"}),
    "gone": frozenset({"deregistered", "terminated", "deleted", "failed"}),
}
"""States by what they mean to somebody who would use the thing; all others are shown as not known."""


def lineage_page(picture: Picture) -> str:
    """Answer the page: the same text for the same picture. ValueError if an edge leads out of it."""
    style, *scripts = (_asset(name) for name in ("lineage_page.css", *_SCRIPTS))
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src " + " ".join(_hash(text) for text in scripts),
            "style-src " + _hash(style),
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return Template(_asset("lineage_page.html")).substitute(
        title=escape(printable(picture.title)),
        policy=escape(policy),
        style=style,
        data=_embedded(_data(picture)),
        **dict(zip(("library", "panel", "page"), scripts, strict=True)),
    )


@cache
def _asset(name: str) -> str:
    return files("cli.render").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Name a script or style as a policy does (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _embedded(data: Json) -> str:
    """Write data so that it can stand in a script element: nothing in it ends the element or begins a comment.

    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@dataclass
class _Proofs:
    """Each piece of evidence once: an event says many things."""

    numbers: dict[Evidence, int] = field(default_factory=dict)

    def of(self, evidence: Evidence) -> int:
        return self.numbers.setdefault(evidence, len(self.numbers))

    def rows(self) -> list[Json]:
        return [
            [
                _moment(each.time),
                each.source.value,
                each.confidence.value,
                printable(each.actor),
                printable(each.account),
                printable(each.region),
                printable(each.event_id),
            ]
            for each in self.numbers
        ]


def _moment(time: Time) -> str:
    try:
        return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time} ms"


def _data(picture: Picture) -> Json:
    nodes = sorted(picture.nodes, key=lambda node: (node.account, node.region, node.kind, node.label, node.key))
    edges = sorted(picture.edges, key=lambda edge: (edge.child, edge.parent, edge.relation))
    numbers = {node.key: number for number, node in enumerate(nodes)}
    for edge in edges:
        if edge.child not in numbers or edge.parent not in numbers:
            raise ValueError(f"an edge leads out of the picture: {edge.child} {edge.relation} {edge.parent}")
    if picture.start not in numbers:
        raise ValueError(f"the thing that was asked about is not in the picture: {picture.start}")
    places = place(
        [(node.key, node.level) for node in nodes], [(edge.child, edge.parent) for edge in edges], picture.start
    )
    proofs = _Proofs()
    return {
        "title": printable(picture.title),
        "start": numbers[picture.start],
        "complete": picture.complete,
        "reasons": [[printable(part) for part in (each.why, each.about, each.says)] for each in picture.reasons],
        "size": [WIDTH, HEIGHT],
        "nodes": [_node(node, places.nodes[node.key], proofs) for node in nodes],
        "edges": [
            _edge(edge, numbers, proofs)
            | _bent(places.nodes[edge.child], places.nodes[edge.parent], places.bends.get(number, ()))
            for number, edge in enumerate(edges)
        ],
        "evidence": proofs.rows(),
    }


def _node(node: Node, at: Point, proofs: _Proofs) -> dict[str, Json]:
    label, kind, state = (printable(each) for each in (node.label, node.kind, node.state))
    if not node.known:
        now = "only its name is known"
    else:
        now = " · ".join((kind, *(["formerly"] if node.formerly else [state] if state else []), *["…"][: node.more]))
    where = " ".join(part for part in (node.account, node.region) if part not in ("", NO_REGION))
    return {
        "key": printable(node.key),
        "kind": kind,
        "label": label,
        "text": "\n".join((_cut(label), _cut(now, 28), _cut(printable(where), 30))),
        "account": printable(node.account),
        "region": printable(node.region),
        "owner": printable(node.owner),
        "state": state,
        "standing": _standing(node.state),
        "level": node.level,
        "known": node.known,
        "formerly": node.formerly,
        "more": node.more,
        "at": at,
        "said": [[printable(each.name), printable(each.value), proofs.of(each.evidence)] for each in node.attributes],
    }


def _standing(state: str) -> str:
    return next((name for name, words in _STANDINGS.items() if state.casefold() in words), "unknown")


def _cut(text: str, most: int = _LABEL) -> str:
    """Leave out the middle: names differ at their ends as often as at their beginnings."""
    if len(text) <= most:
        return text
    head = most * 2 // 3
    return f"{text[:head]}…{text[head + 1 - most :]}"


def _edge(edge: Edge, numbers: Mapping[Key, int], proofs: _Proofs) -> dict[str, Json]:
    return {
        "child": numbers[edge.child],
        "parent": numbers[edge.parent],
        "relation": printable(edge.relation),
        "says": _cut(printable(edge.says), 40),
        "verdict": edge.verdict,
        "why": printable(edge.why),
        "proofs": [proofs.of(each) for each in edge.evidence],
    }


def _bent(source: Point, target: Point, bends: Iterable[Point]) -> dict[str, Json]:
    """Say bends as the library wants them: how far along the straight line, and how far off it."""
    across, down = target[0] - source[0], target[1] - source[1]
    length = (across**2 + down**2) ** 0.5
    weights, distances = [], []
    for x, y in bends:
        weights.append(round(((x - source[0]) * across + (y - source[1]) * down) / length**2, 4))
        distances.append(round(((y - source[1]) * across - (x - source[0]) * down) / length, 1))
    return {"weights": weights, "distances": distances} if weights else {}
