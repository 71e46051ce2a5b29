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

PRICES = Path(__file__).with_name("prices.toml")
Row = tuple[float, str, str, str]
"""Value, unit, target, how."""


@dataclass(frozen=True, slots=True)
class Size:
    """An organization, as far as the price depends on it."""

    name: str
    accounts: int
    regions: int
    images: int
    events: int
    """Events of images, disks and launches a month."""
    asked: int
    """Calls of the API a month."""


SIZES = (
    Size("small", accounts=10, regions=1, images=500, events=50_000, asked=10_000),
    Size("medium", accounts=100, regions=2, images=10_000, events=1_000_000, asked=100_000),
    Size("large", accounts=1_000, regions=4, images=100_000, events=20_000_000, asked=1_000_000),
)
_DAYS = 30
_EVENT_KB = 4
"""Of an event as text, and of what is logged of a batch of a hundred."""
_FACTS_OF_EVENT, _FACT_KB = 4, 0.5
_BATCH = 20
"""Events that one start of the ingest takes, on the average: the queue waits for two seconds at most."""
_GB_SECONDS = {"ingest": 0.5 * 0.5, "api": 0.5 * 0.3, "place": 0.5 * 5, "assessed_image": 1.0 * 0.0005}
"""Memory in GB times seconds: of a batch, of an answer, of reading an account in a Region, of judging one image."""
_READ_A_DAY = 4
_RULES = 2
"""Verdicts that AWS Config gets for an image or an instance a day."""


def count(templates: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count what costs by being there, in the templates of the lineage account."""
    found: Counter[str] = Counter()
    for template in templates:
        for resource in template["Resources"].values():
            kind, properties = resource["Type"], resource.get("Properties", {})
            found[kind] += 1
            if kind == "AWS::WAFv2::WebACL":
                found["waf_rule"] += len(properties.get("Rules", ()))
            if kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") == "Interface":
                found["interface_endpoint_zone"] += len(properties["SubnetIds"])
    return found


def standing(counted: Mapping[str, int], capacity: float) -> Mapping[str, float]:
    """Answer dollars a month by what costs by being there; `capacity`: the least of each Neptune instance."""
    prices = _prices()["standing"]
    amounts = {**counted, "neptune_capacity_unit": counted.get("AWS::Neptune::DBInstance", 0) * capacity}
    return {name: amounts[name] * prices[name]["price"] for name in prices if amounts.get(name)}


def used(size: Size) -> Mapping[str, float]:
    """Answer dollars a month by what costs by use."""
    prices = _prices()["used"]
    places = size.accounts * size.regions
    batches = size.events / _BATCH
    read = places * _READ_A_DAY * _DAYS
    judged = size.images * _DAYS
    gb_seconds = (
        batches * _GB_SECONDS["ingest"]
        + size.asked * _GB_SECONDS["api"]
        + read * _GB_SECONDS["place"]
        + judged * _GB_SECONDS["assessed_image"]
    )
    text_gb = size.events * _EVENT_KB / 1e6
    million = {
        "neptune_io": size.events * _FACTS_OF_EVENT * 3 / 1e6,
        "lambda_requests": (batches + size.asked + read + _DAYS) / 1e6,
        "lambda_gb_seconds": gb_seconds / 1e6,
        # One event is put on the central bus; what services themselves send costs nothing.
        "events": size.events / 1e6,
        "sqs_requests": (size.events + 2 * batches + 3 * read) / 1e6,
        "s3_puts": size.events / 1e6,
        "kms_requests": (size.events + 3 * batches) / 1e6,
        "api_requests": size.asked / 1e6,
        "waf_requests": size.asked / 1e6,
        "config_evaluations": judged * _RULES / 1e6,
        "findings": judged * 0.1 / 1e6,
        "traces": (batches + size.asked) * 0.05 / 1e6,
    }
    gigabytes = {
        "neptune_storage": 12 * size.events * _FACTS_OF_EVENT * _FACT_KB / 1e6,
        "s3_storage": 12 * text_gb,
        "logs": (batches + size.asked + read) * _EVENT_KB / 1e6,
        "endpoint": 2 * text_gb,
    }
    return {name: amount * prices[f"{name}_million"] for name, amount in million.items()} | {
        name: amount * prices[f"{name}_gb"] for name, amount in gigabytes.items()
    }


def figures(templates: Iterable[Mapping[str, Any]], capacity: float) -> dict[str, Row]:
    """Answer the price of each size, with what it is made of."""
    counted, dated = count(templates), _prices()["dated"]
    there = standing(counted, capacity)
    found: dict[str, Row] = {}
    for size in SIZES:
        parts = {**there, **used(size)}
        largest = sorted(parts, key=lambda name: -parts[name])[:4]
        how = (
            f"list prices of us-east-1, {dated}, without free tiers: {size.accounts:,} accounts × {size.regions} "
            f"Regions, {size.images:,} images, {size.events:,} events and {size.asked:,} API calls a month, "
            "a year kept; mostly " + ", ".join(f"{name} {parts[name]:,.0f}" for name in largest)
        )
        found[f"aws_price_a_month_{size.name}"] = (sum(parts.values()), "USD", "—", how)
    return found


def _prices() -> Mapping[str, Any]:
    return tomllib.loads(PRICES.read_text(encoding="utf-8"))
