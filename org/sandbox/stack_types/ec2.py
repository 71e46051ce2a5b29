"""AWS::EC2::SnapshotBlockPublicAccess."""

from __future__ import annotations

from typing import Any

from org.sandbox.ec2 import BLOCKING_STATES, UNBLOCKED, snapshot_sharing
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted


class SnapshotBlockPublicAccess:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-snapshotblockpublicaccess.html."""

    shape = Shape(
        "AWS::EC2::SnapshotBlockPublicAccess",
        properties=frozenset({"State"}),
        attributes=frozenset({"AccountId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(wanted.account_id)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        state = wanted.properties.get("State")
        if state not in BLOCKING_STATES:
            raise ResourceRefused(f"Properties validation failed: State must be one of {', '.join(BLOCKING_STATES)}")
        snapshot_sharing[wanted.account_id][wanted.region].state = state
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:  # noqa: ARG002  # there is one per account and Region
        snapshot_sharing[wanted.account_id][wanted.region].state = UNBLOCKED

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # only AccountId
        return created.physical_id
