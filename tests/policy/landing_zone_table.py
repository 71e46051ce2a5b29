"""What each statement of a published landing zone denies to those who must keep working, as a table of the docs.

`python -m tests.policy.landing_zone_table` writes `docs/landing-zone-policies.md` from the policies themselves, one
statement at a time, so that no other statement hides what it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from org.model import RequiredCall
from org.policy.authorize import Authorizer, Engine, Grants
from org.policy.catalog import Catalog
from org.policy.context import make_context, principal_of
from org.policy.decision import Verdict
from org.policy.model import Effect, Level, Policy, PolicyKind, Statement
from org.policy.parse import parse_policy
from org.policy.patterns import matches, overlaps
from org.policy.request import ContextValue, Request
from org.proof.calls import calls_of_template
from tests.support.landing_zone import landing_zone_source

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "landing-zone-policies.md"
ACCOUNT, LINEAGE, LOG_ARCHIVE = "111122223333", "444455556666", "777788889999"
REGION = "us-east-1"
ORGANIZATION = "o-example1"
FILLED = {
    "PARTITION": "aws",
    "HOME_REGION": REGION,
    "ACCELERATOR_PREFIX": "AWSAccelerator",
    "ACCELERATOR_SSM_PREFIX": "/accelerator",
    "ORG_ID": ORGANIZATION,
    "LOGARCHIVE_ACCOUNT_ID": LOG_ARCHIVE,
}
ITS_OWN, CONTROL_TOWER = "OrganizationAccountAccessRole", "AWSControlTowerExecution"
FOLDERS = {
    "service-control-policies": PolicyKind.SERVICE_CONTROL,
    "rcp-policies": PolicyKind.RESOURCE_CONTROL,
}
MANY = 500
"""Of more actions than that one of each service is asked for."""
ALLOW_ALL = Statement(Effect.ALLOW, ("*",), resources=("*",))
FULL = Policy("FullAWSAccess", PolicyKind.SERVICE_CONTROL, (ALLOW_ALL,))
EXTERNAL_ID = "orgctl-audit-1"
BASELINE = {
    "AuditAccountId": LOG_ARCHIVE,
    "ExternalId": EXTERNAL_ID,
    "HomeRegion": REGION,
    "LineageAccountId": LINEAGE,
    "OrganizationId": ORGANIZATION,
}
INTRODUCTION = f"""# What a landing zone's policies deny to orgctl

The service and resource control policies of the landing zone that AWS publishes (aws/lza-universal-configuration at
598dc816), each statement evaluated by itself with orgctl's own engine, for those who must keep working in a member
account. Written by `python -m tests.policy.landing_zone_table`; a test compares it with what the engine says now.

| Column | Who | Calls |
|---|---|---|
| access role | `{ITS_OWN}` | everything the statement names |
| access role, named | the same, where `MANAGEMENT_ACCOUNT_ACCESS_ROLE` is its name, not `{CONTROL_TOWER}` | the same |
| audit | `orgctl-audit` | what the statement names and only reads |
| forwarder | `orgctl-forward-events-{REGION}` | `events:PutEvents` on the central bus |
| StackSets | `stacksets-exec-*` | making, changing and removing `account-baseline` (docs/resource-calls.md) |
| break-glass | `BreakGlass` | everything the statement names |

**all** — every call that was asked for is denied; **3 of 8** — those; *if `key`* — it hangs on a condition key that is
not known beforehand; a dash — nothing is denied; an empty cell — the statement names none of their calls. A statement
about certain resources is asked for those. Where it names more than {MANY} actions, one of each service is asked for.
Calls are made in {REGION}, over TLS, by principals of the organization that are not AWS services.

In short: `lza-quarantine` stops all of orgctl, the StackSets and break-glass, and so keeps `account-baseline` out of a
new account for as long as it is attached; nothing else denies a StackSet for certain. No exemption names break-glass.
The access role escapes where the policies name it, and is then what `lza-suspended-guardrails` stops. `GRIAMR` and
`GRS3OBJ` also keep the audit role from looking at the landing zone's own roles and logs.
"""


@dataclass(frozen=True, slots=True)
class Who:
    """One column."""

    title: str
    role: str
    access_role: str = CONTROL_TOWER
    """What MANAGEMENT_ACCOUNT_ACCESS_ROLE is filled with."""
    calls: tuple[RequiredCall, ...] | None = None
    """None: whatever the statement names."""
    only_reads: bool = False
    via: ContextValue = None

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.role}"


def find_columns() -> tuple[Who, ...]:
    template = json.loads((ROOT / "tests/golden/templates/account-baseline.json").read_text(encoding="utf-8"))
    deployed: dict[str, RequiredCall] = {}
    for operation in ("create", "update", "delete"):
        found = calls_of_template(
            template, BASELINE, account=ACCOUNT, region=REGION, partition="aws", operation=operation
        )
        deployed |= {f"{call.action} {call.resource}": call for call in found.calls}
    bus = f"arn:aws:events:{REGION}:{LINEAGE}:event-bus/orgctl-lineage"
    return (
        Who("access role", ITS_OWN),
        Who("access role, named", ITS_OWN, access_role=ITS_OWN),
        Who("audit", "orgctl-audit", only_reads=True),
        Who("forwarder", f"orgctl-forward-events-{REGION}", calls=(RequiredCall("events:PutEvents", bus),)),
        Who(
            "StackSets",
            "stacksets-exec-0123456789abcdef",
            calls=tuple(deployed.values()),
            via=("cloudformation.amazonaws.com",),
        ),
        Who("break-glass", "BreakGlass"),
    )


def render_table(source: Path) -> str:
    """Answer the page for the published files in `source`."""
    catalog = Catalog()
    engine = Engine(catalog)
    columns = find_columns()
    parts = [INTRODUCTION]
    head = (
        "| Statement | Names | " + " | ".join(who.title for who in columns) + " |\n" + "|---" * (len(columns) + 2) + "|"
    )
    for folder, kind in FOLDERS.items():
        for path in sorted((source / folder).glob("*.json")):
            text = path.read_text(encoding="utf-8")
            read = {name: _parse(text, path.name, kind, name) for name in (ITS_OWN, CONTROL_TOWER)}
            rows = []
            for index, statement in enumerate(read[CONTROL_TOWER].statements):
                actions = _actions(catalog, statement)
                cells = [_cell(engine, catalog, read[who.access_role], index, who, actions) for who in columns]
                rows.append("| " + " | ".join([f"`{statement.label}`", _named(statement, actions), *cells]) + " |")
            parts.append("\n".join([f"## {path.stem}\n\n{str(kind).capitalize()}.\n", head, *rows]) + "\n")
    return "\n".join(parts)


def _parse(text: str, name: str, kind: PolicyKind, access_role: str) -> Policy:
    filled = {**FILLED, "MANAGEMENT_ACCOUNT_ACCESS_ROLE": access_role}
    return parse_policy(re.sub(r"\$\{([A-Z_]+)\}", lambda match: filled[match[1]], text), kind, name)


def _actions(catalog: Catalog, statement: Statement) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for pattern in ("*",) if statement.not_actions else statement.actions:
        found |= dict.fromkeys(catalog.actions_matching(pattern))
    if statement.not_actions:
        found = {each: None for each in found if not _names(statement.actions, each)}
    return tuple(found)


def _names(patterns: Iterable[str], action: str) -> bool:
    return any(matches(pattern, action, ignore_case=True) for pattern in patterns)


def _named(statement: Statement, actions: tuple[str, ...]) -> str:
    if len(actions) == 1:
        return f"`{actions[0]}`"
    if not statement.not_actions and "*" not in statement.actions:
        services = {each.partition(":")[0] for each in actions}
        return f"{len(actions)} calls of {', '.join(sorted(services)[:4])}" + (" …" if len(services) > 4 else "")
    return "everything" + (f" but {len(statement.actions)} calls" if statement.not_actions else "")


def _cell(engine: Engine, catalog: Catalog, policy: Policy, index: int, who: Who, actions: tuple[str, ...]) -> str:
    statement = policy.statements[index]
    alone = replace(policy, statements=(replace(statement, index=0),))
    authorizer = engine.authorizer(_grants(alone))
    asked = denied = 0
    hangs: dict[str, None] = {}
    for requests in _requests(catalog, statement, who, actions):
        asked += 1
        verdicts = [_verdict(authorizer, request) for request in requests]
        denied += any(verdict is Verdict.DENIED for verdict, _ in verdicts)
        if not any(verdict is Verdict.DENIED for verdict, _ in verdicts):
            hangs |= dict.fromkeys(key for _, keys in verdicts for key in keys)
    if not asked:
        return ""
    told = [] if not denied else ["**all**"] if denied == asked else [f"**{denied} of {asked}**"]
    return "; ".join(told + ([f"*if {', '.join(f'`{key}`' for key in sorted(hangs))}*"] if hangs else [])) or "–"


def _grants(policy: Policy) -> Grants:
    if policy.kind is PolicyKind.RESOURCE_CONTROL:
        return Grants(resource_control=(Level("Root", (policy,)),))
    return Grants(service_control=(Level("Root", (FULL, policy)),))


def _verdict(authorizer: Authorizer, request: Request) -> tuple[Verdict, tuple[str, ...]]:
    decision = authorizer.decide(request)
    return decision.verdict, decision.unknown if decision.verdict is Verdict.UNKNOWN else ()


def _requests(
    catalog: Catalog, statement: Statement, who: Who, actions: tuple[str, ...]
) -> Iterator[tuple[Request, ...]]:
    """Yield for each call the requests that stand for it: one, or one for each kind of resource that is named."""
    if who.calls is not None:
        named = frozenset(actions)
        for call in who.calls:
            if call.action in named:
                yield (_request(who, call.action, call.resource or "*", call.context),)
        return
    chosen = [each for each in actions if not who.only_reads or _reads(catalog, each)]
    if len(chosen) > MANY:
        chosen = list({each.partition(":")[0]: each for each in reversed(chosen)}.values())
    for action in chosen:
        resources = _resources(catalog, statement, action)
        if resources:
            yield tuple(_request(who, action, resource, {}) for resource in resources)


def _reads(catalog: Catalog, action: str) -> bool:
    entry = catalog.find_action(action)
    return entry is not None and entry.access_level in {"Read", "List"}


def _resources(catalog: Catalog, statement: Statement, action: str) -> list[str]:
    """Answer those of the statement's resources that the action can be about; none if it never is."""
    entry = catalog.find_action(action)
    forms = [re.sub(r"\$\{[^}]*\}", "*", each.arn) for each in entry.resources if each.arn] if entry else []
    return [each for each in statement.resources if each == "*" or any(overlaps(form, each) for form in forms)]


def _request(who: Who, action: str, resource: str, more: Mapping[str, ContextValue]) -> Request:
    principal = principal_of(who.arn)
    circumstances: dict[str, ContextValue] = {
        "aws:CalledVia": who.via,
        "aws:AssumedRoot": None,
        "aws:SourceArn": None,
        **more,
    }
    account = LINEAGE if f":{LINEAGE}:" in resource else ACCOUNT
    context = make_context(
        principal,
        action,
        resource,
        region=REGION,
        organization_id=ORGANIZATION,
        resource_account=account,
        more=circumstances,
    )
    return Request(principal, action, resource, "" if account == ACCOUNT else account, context)


if __name__ == "__main__":
    TABLE.write_text(render_table(landing_zone_source()), encoding="utf-8")
