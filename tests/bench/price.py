"""What the deployed system costs a month on AWS: resources counted in the templates, use worked out for three sizes.

The prices are dated data (`prices.toml`). What is assumed of the use stands here, by itself, so that it can be doubted.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacksets.functions import API, ASSESS, CONFIG_RULES, FUNCTIONS, INGEST, RECONCILE
from stacksets.templates.lineage_compliance import PERIODIC

PRICES = Path(__file__).with_name("prices.toml")
Template = Mapping[str, Any]
Row = tuple[float, str, str, str]
"""Value, unit, target, how."""


@dataclass(frozen=True, slots=True)
class Size:
    """An organization, as far as the price depends on it."""

    name: str
    accounts: int
    regions: int
    images: int
    instances: int
    """That run, on the average."""
    launches: int
    """A month, in the home Region: where AWS Config records instances."""
    events: int
    """Events of images, disks and launches a month, all Regions."""
    asked: int
    """Calls of the API a month."""
    capacity: float
    """Neptune Capacity Units that are used on the average, if the least of the manifest is not more."""


SIZES = (
    Size("small", 10, 1, 500, instances=200, launches=2_000, events=50_000, asked=10_000, capacity=1),
    Size("medium", 100, 2, 10_000, instances=5_000, launches=50_000, events=1_000_000, asked=100_000, capacity=2),
    Size("large", 1_000, 4, 100_000, instances=50_000, launches=500_000, events=20_000_000, asked=10**6, capacity=8),
)
_DAYS, _WEEKS = 30, 30 / 7
_EVENT_KB = 4
"""Of an event as text, and of what is logged of a batch."""
_FACTS_OF_EVENT, _FACT_KB = 4, 0.5
_BATCH = 20
"""Events that one start of the ingest takes, on the average: the queue waits for two seconds at most."""
_SECONDS = {INGEST.name: 0.5, API.name: 0.3, RECONCILE.name: 5.0, CONFIG_RULES.name: 2.0}
"""Of a batch, an answer, reading an account in a Region, answering one invocation of AWS Config."""
_SECONDS_OF_IMAGE = 0.0005
"""That judging one image takes, beyond that."""
_WITHOUT_IMAGES = 0.9
"""Share of accounts that have no instances: there their rule tells AWS Config once a day that nothing is to be told."""
_ITEMS_OF_INSTANCE = 3
"""Times that AWS Config records an instance, from launch to end."""
_FAILING = 0.1
"""Share of verdicts that are findings: each is imported once a week."""
_METRICS = 25
"""Names of metrics that the functions write, with their dimensions."""
_QUERIES = 3
"""To the graph for a batch, an API call or an image that is judged; each is a line of half a KB in the audit log."""
_QUERY_KB = 0.5


def count(stacks: Iterable[tuple[Template, Mapping[str, str]]]) -> Counter[str]:
    """Count what costs by being there: templates of the lineage account, with the parameters that they are given."""
    found: Counter[str] = Counter()
    for template, given in stacks:
        for resource in template["Resources"].values():
            if "Condition" in resource and not _holds(template["Conditions"][resource["Condition"]], template, given):
                continue
            kind, properties = resource["Type"], resource.get("Properties", {})
            found[kind] += 1
            if kind == "AWS::WAFv2::WebACL":
                found["waf_rule"] += len(properties.get("Rules", ()))
            if kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") == "Interface":
                found["interface_endpoint_zone"] += len(properties["SubnetIds"])
    return found


def _holds(condition: Mapping[str, Any], template: Template, given: Mapping[str, str]) -> bool:
    """Evaluate Fn::Equals and Fn::Not of parameters and texts, which is all that resources hang on."""

    def value(of: object) -> object:
        if isinstance(of, Mapping):
            name = str(of["Ref"])
            return given.get(name, template["Parameters"][name].get("Default", ""))
        return of

    ((operator, operands),) = condition.items()
    if operator == "Fn::Not":
        return not _holds(operands[0], template, given)
    if operator != "Fn::Equals":
        raise ValueError(f"{operator}: not known here; add it")
    return value(operands[0]) == value(operands[1])


def standing(counted: Mapping[str, int], capacity: float) -> Mapping[str, float]:
    """Answer dollars a month by what costs by being there; `capacity`: the least of each Neptune instance."""
    prices = _prices()["standing"]
    amounts = {
        **counted,
        "custom_metric": _METRICS,
        "neptune_capacity_unit": counted.get("AWS::Neptune::DBInstance", 0) * capacity,
    }
    return {name: amounts[name] * prices[name]["price"] for name in prices if amounts.get(name)}


def used(size: Size, rules: int) -> Mapping[str, float]:
    """Answer dollars a month by what costs by use; `rules`: that judge each image once a day."""
    prices = _prices()["used"]
    places = size.accounts * size.regions
    batches, read, judged = size.events / _BATCH, places * _DAYS, size.images * _DAYS
    items = size.launches * _ITEMS_OF_INSTANCE
    starts = {
        INGEST.name: batches + 2 * read,
        API.name: size.asked,
        RECONCILE.name: read,
        CONFIG_RULES.name: size.accounts * rules * _DAYS + items,
    }
    gigabytes_of = {row.name: row.memory / 1024 for row in FUNCTIONS}
    gb_seconds = sum(starts[name] * gigabytes_of[name] * seconds for name, seconds in _SECONDS.items())
    # Each rule judges each image, and the assessment all of them once more.
    judging = rules * gigabytes_of[CONFIG_RULES.name] + gigabytes_of[ASSESS.name]
    gb_seconds += judged * _SECONDS_OF_IMAGE * judging
    text_gb = size.events * _EVENT_KB / 1e6
    queries = (batches + size.asked + judged) * _QUERIES
    million = {
        "neptune_io": size.events * _FACTS_OF_EVENT * 3 / 1e6,
        "lambda_requests": sum(starts.values()) / 1e6,
        "lambda_gb_seconds": gb_seconds / 1e6,
        # One event is put on the central bus; what services themselves send costs nothing.
        "events": size.events / 1e6,
        "sqs_requests": (size.events + 2 * batches + 3 * read) / 1e6,
        "s3_puts": (size.events + 2 * read) / 1e6,
        "kms_requests": (size.events + 3 * batches) / 1e6,
        "api_requests": size.asked / 1e6,
        "waf_requests": size.asked / 1e6,
        "config_items": items / 1e6,
        "findings": (judged / _DAYS * rules + size.instances) * _FAILING * _WEEKS / 1e6,
        "traces": (batches + size.asked) * 0.05 / 1e6,
    }
    gigabytes = {
        "neptune_storage": 12 * size.events * _FACTS_OF_EVENT * _FACT_KB / 1e6,
        "s3_storage": 12 * text_gb,
        "logs": sum(starts.values()) * _EVENT_KB / 1e6 + queries * _QUERY_KB / 1e6,
        "endpoint": 2 * text_gb,
    }
    # Images are put weekly; a round in which none is new puts one for the account. Instances are put daily.
    rounds = size.accounts * (rules * _DAYS + _WITHOUT_IMAGES * _DAYS)
    evaluations = size.images * _WEEKS * rules + rounds + size.instances * _DAYS + items
    tiers = _prices()["config_evaluations"]
    return (
        {name: amount * prices[f"{name}_million"] for name, amount in million.items()}
        | {name: amount * prices[f"{name}_gb"] for name, amount in gigabytes.items()}
        | {"config_evaluations": _tiered(evaluations, tiers)}
    )


def _tiered(amount: float, tiers: Iterable[Mapping[str, float]]) -> float:
    """Answer dollars where each price holds up to a number; the last has none."""
    dollars = begun = 0.0
    for tier in tiers:
        upto = min(amount, tier.get("upto", amount))
        dollars += max(0.0, upto - begun) * tier["price"]
        begun = max(begun, upto)
    return dollars


def deployed() -> tuple[list[tuple[Template, Mapping[str, str]]], float]:
    """Answer the stacks of the company example, and the least capacity of its graph."""
    from cli.demo import example_manifest
    from config.load import load_manifest
    from stacksets.lineage_stacks import lineage_stacks

    manifest = load_manifest(example_manifest()).manifest
    stacks = [(each.template.to_dict(), each.parameters) for each in lineage_stacks(manifest)]
    return stacks, manifest.lineage.graph.min_capacity


def figures() -> dict[str, Row]:
    """Answer the price of each size, with what it is made of."""
    stacks, capacity = deployed()
    counted, dated = count(stacks), _prices()["dated"]
    there = standing(counted, capacity)
    found: dict[str, Row] = {
        "aws_price_a_month_standing": (
            sum(there.values()),
            "USD",
            "—",
            f"list prices of us-east-1, {dated}, without free tiers: what is there though nothing happens: "
            + ", ".join(f"{name} {there[name]:,.0f}" for name in sorted(there, key=lambda name: -there[name])),
        )
    }
    for size in SIZES:
        standing_here = standing(counted, max(capacity, size.capacity))
        parts = {**standing_here, **used(size, len(PERIODIC))}
        largest = sorted(parts, key=lambda name: -parts[name])[:5]
        how = (
            f"the same with use: {size.accounts:,} accounts × {size.regions} Regions, {size.images:,} images, "
            f"{size.instances:,} instances, {size.events:,} events, {size.launches:,} launches in the home Region and "
            f"{size.asked:,} API calls a month, a year kept; mostly "
            + ", ".join(f"{name} {parts[name]:,.0f}" for name in largest)
        )
        found[f"aws_price_a_month_{size.name}"] = (sum(parts.values()), "USD", "—", how)
    return found


def _prices() -> Mapping[str, Any]:
    return tomllib.loads(PRICES.read_text(encoding="utf-8"))
