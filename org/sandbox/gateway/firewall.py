"""WAF before an API: a web ACL's rules in their order, each statement judged or, where it says so, never matching.

Judged are rates, sizes, bytes, regular expressions, IP sets, labels, and/or/not, and of AWS's managed groups the core
rule set and the known bad inputs in a rough likeness (`managed.py`). `NEVER` lists what is kept and matches nothing.
https://docs.aws.amazon.com/waf/latest/developerguide/waf-rules.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from moto.wafv2.models import wafv2_backends

from org.sandbox.gateway import managed
from org.sandbox.gateway.inspection import Inspected, compare
from org.sandbox.gateway.limits import Limits
from org.sandbox.gateway.requests import ApiRequest

if TYPE_CHECKING:
    from moto.wafv2.models import FakeWebACL

Json = Mapping[str, Any]

NEVER = frozenset({
    "AsnMatchStatement", "GeoMatchStatement", "RegexPatternSetReferenceStatement", "RuleGroupReferenceStatement",
    "SqliMatchStatement", "XssMatchStatement",
})  # fmt: skip
WINDOW_SECONDS = (60, 120, 300, 600)
_LEAST_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Ruling:
    blocked: bool
    rule: str = ""
    """Which rule decided; empty for the default action."""
    response: Json = field(default_factory=dict)
    """The custom response of what blocks."""


@dataclass(slots=True)
class _Judging:
    acl: FakeWebACL
    account: str
    region: str
    limits: Limits
    now: float
    inspected: Inspected
    labels: set[str] = field(default_factory=set)


def judge(acl: FakeWebACL, account: str, region: str, request: ApiRequest, limits: Limits, now: float) -> Ruling:
    """Say whether the web ACL lets the request through.

    A rate counts the request at once, where AWS takes some seconds to notice.
    """
    judging = _Judging(acl, account, region, limits, now, Inspected(request, _body_limit(acl)))
    for rule in sorted(acl.rules, key=lambda each: int(each.priority)):
        group = rule.statement.get("ManagedRuleGroupStatement")
        if group is not None:
            action = _of_group(judging, group)
            if "None" not in (rule.override_action or {"None": {}}):
                continue
        else:
            action = rule.action if _matches(judging, rule.statement, rule.name) else None
            if action is not None:
                judging.labels |= {each["Name"] for each in rule.rule_labels or ()}
        if action and ("Block" in action or "Allow" in action):
            blocks = action.get("Block")
            return Ruling(blocks is not None, rule.name, (blocks or {}).get("CustomResponse", {}))
    blocks = acl.default_action.get("Block")
    return Ruling(blocks is not None, "", (blocks or {}).get("CustomResponse", {}))


def check_statement(statement: Json) -> None:
    """Raise ValueError for a statement that is neither judged nor listed as never matching."""
    ((kind, content),) = statement.items()
    if kind not in _JUDGES and kind not in NEVER and kind != "ManagedRuleGroupStatement":
        raise ValueError(f"the orgctl sandbox does not emulate the statement {kind}")
    for inner in _inner(content):
        check_statement(inner)
    if kind == "RateBasedStatement":
        _check_rate(content)
    if kind in {"ByteMatchStatement", "RegexMatchStatement", "SizeConstraintStatement"}:
        Inspected.check(content)


def _check_rate(content: Json) -> None:
    if int(content["Limit"]) < _LEAST_LIMIT:
        raise ValueError(f"the Limit of a RateBasedStatement is at least {_LEAST_LIMIT}")
    if int(content.get("EvaluationWindowSec", 300)) not in WINDOW_SECONDS:
        raise ValueError(f"EvaluationWindowSec must be one of {', '.join(map(str, WINDOW_SECONDS))}")
    if content.get("AggregateKeyType", "IP") not in {"IP", "CONSTANT"}:
        raise ValueError(f"the orgctl sandbox does not emulate the aggregation {content['AggregateKeyType']}")


def _inner(content: Json) -> list[Json]:
    return [*content.get("Statements", ()), *(content[k] for k in ("Statement", "ScopeDownStatement") if k in content)]


def _matches(judging: _Judging, statement: Json, rule: str) -> bool:
    ((kind, content),) = statement.items()
    judge_it = _JUDGES.get(kind)
    return judge_it is not None and judge_it(judging, content, rule)


def _of_group(judging: _Judging, group: Json) -> Json | None:
    """Answer the action of the first of the group's rules that matches and ends it."""
    scope = group.get("ScopeDownStatement")
    if scope is not None and not _matches(judging, scope, ""):
        return None
    excluded = {each["Name"] for each in group.get("ExcludedRules", ())}
    overrides = {each["Name"]: each["ActionToUse"] for each in group.get("RuleActionOverrides", ())}
    for name, label in managed.matching(str(group["Name"]), judging.inspected):
        judging.labels.add(label)
        action: Json = {"Count": {}} if name in excluded else overrides.get(name, {"Block": {}})
        if "Block" in action or "Allow" in action:
            return action
    return None


def _rate(judging: _Judging, content: Json, rule: str) -> bool:
    scope = content.get("ScopeDownStatement")
    if scope is not None and not _matches(judging, scope, rule):
        return False
    counted = judging.inspected.request.source_ip if content.get("AggregateKeyType", "IP") == "IP" else ""
    window = float(content.get("EvaluationWindowSec", 300))
    key = ("waf", judging.acl.arn, rule, counted)
    return judging.limits.count(key, window, judging.now) > int(content["Limit"])


def _size(judging: _Judging, content: Json, _rule: str) -> bool:
    operator, size = content["ComparisonOperator"], int(content["Size"])
    return judging.inspected.any(content, lambda value: compare(operator, len(value), size))


def _bytes(judging: _Judging, content: Json, _rule: str) -> bool:
    wanted = str(content["SearchString"]).encode()
    test = _POSITIONS[content["PositionalConstraint"]]
    return judging.inspected.any(content, lambda value: test(value, wanted))


def _regex(judging: _Judging, content: Json, _rule: str) -> bool:
    pattern = re.compile(str(content["RegexString"]).encode())
    return judging.inspected.any(content, lambda value: pattern.search(value) is not None)


def _ip_set(judging: _Judging, content: Json, _rule: str) -> bool:
    found = wafv2_backends[judging.account][judging.region].ip_sets.get(str(content.get("Arn") or content.get("ARN")))
    address = ip_address(judging.inspected.request.source_ip)
    return found is not None and any(address in ip_network(each, strict=False) for each in found.addresses)


def _label(judging: _Judging, content: Json, _rule: str) -> bool:
    wanted = str(content["Key"])
    if content["Scope"] == "NAMESPACE":
        return any(each.startswith(wanted) for each in judging.labels)
    return any(each == wanted or each.endswith(f":{wanted}") for each in judging.labels)


def _body_limit(acl: FakeWebACL) -> int:
    """https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html."""
    given = ((acl.association_config or {}).get("RequestBody") or {}).get("API_GATEWAY") or {}
    return int(str(given.get("DefaultSizeInspectionLimit", "KB_16")).removeprefix("KB_")) * 1024


_POSITIONS: Mapping[str, Callable[[bytes, bytes], bool]] = {
    "CONTAINS": lambda value, wanted: wanted in value,
    "CONTAINS_WORD": lambda value, wanted: re.search(rb"(?<!\w)" + re.escape(wanted) + rb"(?!\w)", value) is not None,
    "ENDS_WITH": bytes.endswith,
    "EXACTLY": lambda value, wanted: value == wanted,
    "STARTS_WITH": bytes.startswith,
}
_JUDGES: Mapping[str, Callable[[_Judging, Json, str], bool]] = {
    "AndStatement": lambda judging, content, rule: all(_matches(judging, each, rule) for each in content["Statements"]),
    "ByteMatchStatement": _bytes,
    "IPSetReferenceStatement": _ip_set,
    "LabelMatchStatement": _label,
    "NotStatement": lambda judging, content, rule: not _matches(judging, content["Statement"], rule),
    "OrStatement": lambda judging, content, rule: any(_matches(judging, each, rule) for each in content["Statements"]),
    "RateBasedStatement": _rate,
    "RegexMatchStatement": _regex,
    "SizeConstraintStatement": _size,
}
