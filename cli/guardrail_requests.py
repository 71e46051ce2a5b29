"""What is asked of `guardrails simulate`: one request from options, or a file of them, each with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.text_files import name_of, read_text
from config.yaml_source import Composer, compose
from org.errors import OrgctlError
from org.policy.decision import Verdict
from org.policy.request import ContextValue
from org.source.findings import Finding, Place, SourceErrors, suggest
from org.source.nodes import ListNode, MappingNode, Node, ScalarNode, Unusable, plain

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_KEY = re.compile(r"[A-Za-z0-9.-]+:\S+")
_KEYS = ("principal", "action", "resource", "region", "account", "context", "assume_complete", "expect")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was written: accounts may go by name, and condition keys have any case."""

    principal: str
    action: str
    resource: str = "*"
    region: str = ""
    account: str = ""
    """The resource's; empty where its ARN or the principal's says it."""
    context: tuple[str, ...] | Mapping[str, ContextValue] = field(default_factory=dict)
    """`KEY=VALUE` from options."""
    complete: bool = False
    expect: Verdict | None = None
    place: Place | None = None

    def where(self, option: str) -> str:
        """Answer where something was written: in a file, else in an option."""
        return str(self.place or option)

    @property
    def known(self) -> dict[str, ContextValue]:
        """Answer the condition keys in lower case; raises OrgctlError where an option is not understood."""
        return dict(self.context) if isinstance(self.context, Mapping) else read_context(self.context)


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """Policies beside those of the organization."""

    identity: Path | None = None
    boundary: Path | None = None
    resource: Path | None = None


def read_context(options: Iterable[str]) -> dict[str, ContextValue]:
    """Read `KEY=VALUE`: `KEY=` says that the key is absent, and a key given twice has both values."""
    found: dict[str, ContextValue] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not _KEY.fullmatch(name):
            todo = "write it like aws:RequestedRegion=eu-central-1"
            raise OrgctlError("--context", f"{option!r} is no condition key with a value", todo)
        key = name.lower()
        if key not in found:
            found[key] = value or None
            continue
        before = found[key]
        if before is None or not value:
            raise OrgctlError("--context", f"{name} is given as absent and with a value", "give one of the two")
        found[key] = (*(before if isinstance(before, tuple) else (before,)), value)
    return found


def check_action(action: str) -> str:
    """Answer what is wrong with an action's name, if anything."""
    return "" if _ACTION.fullmatch(action) else f"{action!r} is no action: it is written service:Action, without a *"


class _Composer(Composer):
    if_empty = "write a list of requests, each as an item: - principal: …"


def read_requests(path: Path) -> list[Asked]:
    """Read a YAML or JSON list of requests; raises SourceErrors with all that is wrong in it."""
    findings: list[Finding] = []
    name = name_of(path)
    try:
        top = compose(read_text(path), name, findings, _Composer)
    except Unusable as error:
        raise SourceErrors(name, [*findings, error.finding]) from error
    plain(top, findings)
    if not isinstance(top, ListNode) or not top.items:
        findings.append(
            Finding(top.place, "the file holds no list of requests", "write each as an item: - principal: …")
        )
        raise SourceErrors(name, findings)
    asked = [request for node in top.items if (request := _read(node, findings)) is not None]
    if findings:
        raise SourceErrors(name, findings)
    return asked


def _read(node: Node, findings: list[Finding]) -> Asked | None:
    if not isinstance(node, MappingNode):
        findings.append(Finding(node.place, "the request is no mapping of keys to values", "begin it with principal:"))
        return None
    known = len(findings)
    held = {key.text: item for key, item in node.pairs}
    for key, _ in node.pairs:
        if key.text not in _KEYS:
            todo = suggest(key.text, _KEYS, otherwise="the keys here are " + ", ".join(_KEYS))
            findings.append(Finding(key.place, f"unknown key {key.text!r}", todo))
    missing = [name for name in ("principal", "action") if name not in held]
    findings += [Finding(node.place, f"the key {name!r} is missing", "add it") for name in missing]
    texts = {
        name: _text(name, held[name], findings)
        for name in ("principal", "action", "resource", "region", "account")
        if name in held
    }
    if "action" in texts and (fault := check_action(texts["action"])):
        findings.append(Finding(held["action"].place, fault, "correct it"))
    context = _context(held["context"], findings) if "context" in held else {}
    complete = _complete(held["assume_complete"], findings) if "assume_complete" in held else False
    expect = _expect(held["expect"], findings) if "expect" in held else None
    if len(findings) > known:
        return None
    return Asked(**texts, context=context, complete=complete, expect=expect, place=node.place)


def _text(name: str, node: Node, findings: list[Finding]) -> str:
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value:
        return node.value
    if isinstance(node, ScalarNode) and name == "account" and node.text.isdigit():
        return node.text
    findings.append(Finding(node.place, f"{name!r} is no text", "write one text, in quotes where in doubt"))
    return ""


def _complete(node: Node, findings: list[Finding]) -> bool:
    if isinstance(node, ScalarNode) and isinstance(node.value, bool):
        return node.value
    findings.append(Finding(node.place, "'assume_complete' is neither true nor false", "write true or false"))
    return False


def _expect(node: Node, findings: list[Finding]) -> Verdict | None:
    verdicts = [verdict.value for verdict in Verdict]
    if isinstance(node, ScalarNode) and node.text in verdicts:
        return Verdict(node.text)
    said = node.text if isinstance(node, ScalarNode) else ""
    todo = suggest(said, verdicts, otherwise="it can be " + ", ".join(verdicts))
    findings.append(Finding(node.place, f"'expect' cannot be {said!r}", todo))
    return None


def _context(node: Node, findings: list[Finding]) -> dict[str, ContextValue]:
    if not isinstance(node, MappingNode):
        findings.append(Finding(node.place, "'context' is no mapping of condition keys to values", "write key: value"))
        return {}
    found: dict[str, ContextValue] = {}
    for key, item in node.pairs:
        if not _KEY.fullmatch(key.text):
            findings.append(
                Finding(key.place, f"{key.text!r} is no condition key", "write it like aws:RequestedRegion")
            )
        elif isinstance(item, ListNode):
            found[key.text.lower()] = tuple(_value(each, findings) or "" for each in item.items)
        else:
            found[key.text.lower()] = _value(item, findings)
    return found


def _value(node: Node, findings: list[Finding]) -> str | None:
    """Answer a value as AWS compares it: a number or boolean as in JSON; null says that the key is absent."""
    if not isinstance(node, ScalarNode):
        findings.append(Finding(node.place, "a condition key's value is one value or a list of them", "write it so"))
        return None
    if node.value is None or isinstance(node.value, str):
        return node.value
    return json.dumps(node.value)
