"""The rules about who may use an image, and who does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.lineage.findings import Severity
from handlers.lineage.fold import hold_at, periods_of
from handlers.lineage.model import Key, Kind, Relation, Source, Time, kind_of, parts_of
from handlers.lineage.queries.disagreement import ASKED, EVENTS, SETTLED, Case, Found, Known, Rule, Side, name_of
from handlers.lineage.queries.fetch import facts_into
from handlers.lineage.relations import EVERY, EVERYBODY
from org.ids import AccountId

_REPORTED = frozenset({Source.USAGE_REPORT})
_USE = re.compile(r"(\d{12}) (\S+) (\d+)")
_TEMPLATE = re.compile(r"arn:[^:]*:ec2:[^:]*:(\d{12}):launch-template/(lt-[0-9a-zA-Z-]+)")
_REFERRED = "referenced_by:"
_USING = frozenset({Relation.LAUNCHED_FROM, Relation.REFERENCES, Relation.RESOLVES_TO, Relation.USES})


def sharing(case: Case, known: Known) -> Iterator[Found]:
    """Who may launch an image, by the attribute and by the calls that set it."""
    read = [each for each in case.by(ASKED, Relation.SHARED_WITH) if each.parent.endswith(f"/{EVERY}")]
    periods = periods_of(case.by(EVENTS, Relation.SHARED_WITH))
    told, native = (case.holding(by, Relation.SHARED_WITH) for by in (EVENTS, ASKED))
    for sharee, fact in sorted(native.items()):
        time = fact.evidence.time
        told_then = sharee in told or any(each.parent == sharee for each in hold_at(periods, time))
        if told_then or time > known.now - SETTLED or not _watched(case, known, sharee, time):
            continue
        outside = _is_outside(sharee, known)
        where = " outside of the organization" if outside else ""
        yield (
            Side("events", "nobody was heard to share it"),
            Side("DescribeImageAttribute", f"shared with {name_of(sharee)}", (fact,)),
            f"it is shared with {name_of(sharee)}{where}, and no event told so",
            Severity.HIGH if outside else Severity.MEDIUM,
        )
    latest = max(read, key=lambda each: each.order, default=None)
    for sharee in sorted(told.keys() - native.keys()):
        # Only where the permissions were read since; of a public image they are not.
        if latest is None or told[sharee].evidence.time > latest.evidence.time - SETTLED:
            continue
        yield (
            Side("events", f"shared with {name_of(sharee)}", (told[sharee],)),
            Side("DescribeImageAttribute", "not shared with it", (latest,)),
            f"events tell that it is shared with {name_of(sharee)}, and its launch permissions do not",
            Severity.LOW,
        )


def _watched(case: Case, known: Known, sharee: Key, time: Time) -> bool:
    """Tell whether the sharing can only have begun while it was listened: once it, or the image, was not there."""
    before = [
        each.evidence.time
        for each in case.by(ASKED, Relation.SHARED_WITH)
        if each.parent.endswith(f"/{EVERY}") and each.evidence.time < time
    ]
    shared = {each.evidence.time for each in case.by(ASKED, Relation.SHARED_WITH) if each.parent == sharee}
    first = known.reading(case).first
    made = min((each.evidence.time for each in case.by(ASKED, Relation.NOTED)), default=None)
    return any(each not in shared for each in before) or (first is not None and made is not None and made >= first)


def _is_outside(sharee: Key, known: Known) -> bool:
    name = name_of(sharee)
    if name.isdigit():
        return bool(known.scope.accounts) and AccountId(name) not in known.scope.accounts
    return name == EVERYBODY or not (known.scope.organization and f"/{known.scope.organization}" in name)


def usage(case: Case, known: Known) -> Iterator[Found]:
    """Accounts that use an image, AWS says, and of which nothing was heard that does."""
    said = case.state(_REPORTED).value("usage")
    counted = [(AccountId(account), what, int(count)) for account, what, count in _USE.findall(said or "")]
    if not counted:
        return
    users, _ = facts_into(known.graph, [case.key], _USING, None, known.bounds.per_parent)
    heard = {(each.evidence.account, _type_of(each.child)) for each in users.get(case.key, ())}
    for account, what, count in counted:
        if (account, what) in heard:
            continue
        outside = bool(known.scope.accounts) and account not in known.scope.accounts
        where = " outside of the organization" if outside else ""
        yield (
            Side("events", f"nothing in {account} uses it"),
            Side("CreateImageUsageReport", f"{count:,} × {what} in {account}", case.fact_of(_REPORTED, "usage")),
            f"{count:,} × {what} in {account}{where} use it, AWS says, and no event told of any",
            Severity.HIGH if outside else Severity.MEDIUM,
        )


def _type_of(user: Key) -> str:
    return {Kind.INSTANCE: "ec2:Instance", Kind.TEMPLATE_VERSION: "ec2:LaunchTemplate"}.get(kind_of(user), "")


def reference(case: Case, known: Known) -> Iterator[Found]:
    """Launch templates that refer to an image, AWS says, and of which no version was heard that does."""
    referring = {
        (account, template)
        for name, said in case.asked.attributes.items()
        if name.startswith(_REFERRED)
        for account, template in _TEMPLATE.findall(said.value)
    }
    if not referring:
        return
    users, _ = facts_into(known.graph, [case.key], {Relation.REFERENCES}, None, known.bounds.per_parent)
    heard = {parts_of(each.child).name.partition(":")[0] for each in users.get(case.key, ())}
    for account, template in sorted(referring):
        if template not in heard:
            yield (
                Side("events", f"no version of {template} names it"),
                Side(
                    "DescribeImageReferences",
                    f"{template} in {account} names it",
                    case.fact_of(ASKED, f"{_REFERRED}{account}"),
                ),
                f"the launch template {template} in {account} names it, and no event told of such a version",
                None,
            )


RULES: tuple[Rule, ...] = (
    Rule(
        "sharing",
        Kind.IMAGE,
        Severity.HIGH,
        "events (ModifyImageAttribute)",
        "DescribeImageAttribute (launchPermission)",
        "An image is not shared as events told",
        "look in CloudTrail for who shared it; take back what nobody wants",
        sharing,
    ),
    Rule(
        "usage",
        Kind.IMAGE,
        Severity.MEDIUM,
        "events (RunInstances, launch templates)",
        "image usage report",
        "An image is used by accounts of which no event told",
        "see whether that account's events are heard; if it is not of the organization, take the share back",
        usage,
    ),
    Rule(
        "reference",
        Kind.IMAGE,
        Severity.MEDIUM,
        "events (CreateLaunchTemplateVersion)",
        "DescribeImageReferences",
        "A launch template names an image, and no event told so",
        "see whether the account's events are heard; the template is older than the lineage, or its event was lost",
        reference,
    ),
)
