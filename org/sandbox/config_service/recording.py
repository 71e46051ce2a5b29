"""The recorder of an account and Region: where it is to deliver, and what has changed since it looked last.

It looks after each call that CloudTrail records of EC2 and Auto Scaling; what stacks make shows at the next one.
"""

from __future__ import annotations

from typing import Any

from moto.config.exceptions import NoSuchBucketException
from moto.config.models import ConfigBackend
from moto.s3.models import s3_backends

from org.sandbox.config_service import refusals
from org.sandbox.config_service.events import now
from org.sandbox.config_service.items import DELETED, DISCOVERED, OK, TYPES, Item, Resource, make_item, resources_in


class Recording(ConfigBackend):
    """The part of the backend that knows resources; the rules hear of them by `tell_rules`."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.seen: dict[tuple[str, str], Resource] = {}
        """Each resource as the recorder has recorded it last."""
        self.items = 0
        self.started_on_create: set[str] = set()
        """Recorders of stacks, which start when there is a delivery channel."""

    def tell_rules(self, resource: Resource, status: str, before: Resource | None) -> None:
        raise NotImplementedError

    @property
    def recorder_role(self) -> str:
        return str(next((each.role_arn for each in self.recorders.values()), ""))

    def put_delivery_channel(self, delivery_channel: dict[str, Any]) -> None:
        """Refuse a bucket that there is not, or that holds objects for a time by default.

        https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html. [H]: the code. Whether Config
        may write into it is not looked at, since it does not.
        """
        name = str(delivery_channel.get("s3BucketName") or "")
        owner = s3_backends.bucket_accounts.get(name)
        if name and owner is None:
            raise NoSuchBucketException
        if owner is not None and s3_backends[owner[1]][owner[0]].get_bucket(name).has_default_lock:
            message = (
                f"Insufficient delivery policy to s3 bucket: {name}, unable to write to bucket: "
                "Object Lock with default retention is not supported."
            )
            raise refusals.ConfigRefusal("InsufficientDeliveryPolicyException", message)
        super().put_delivery_channel(delivery_channel)

    def start_configuration_recorder(self, recorder_name: str) -> None:
        super().start_configuration_recorder(recorder_name)
        self.notice_changes()

    def start_those_that_wait(self) -> None:
        for name in sorted(self.started_on_create & set(self.recorders)) if self.delivery_channels else ():
            self.started_on_create.discard(name)
            self.start_configuration_recorder(name)

    def records(self, type: str) -> bool:
        """Say whether the recorder is on, and for resources of this type."""
        for recorder in self.recorders.values():
            group = recorder.recording_group
            excluded = (group.exclusion_by_resource_types or {}).get("resourceTypes") or []
            if recorder.status.recording and (type in (group.resource_types or []) or not group.resource_types):
                return type not in excluded
        return False

    def notice_changes(self) -> None:
        """Record what has changed since the last time, and have the rules judge it that it concerns."""
        if not any(self.records(type) for type in TYPES):
            return
        there = {
            (each.type, each.id): each
            for each in resources_in(self.account_id, self.region_name)
            if self.records(each.type)
        }
        for key, resource in there.items():
            before = self.seen.get(key)
            if before is None or before.digest != resource.digest:
                self.tell_rules(resource, DISCOVERED if before is None else OK, before)
        for key, gone in self.seen.items():
            if key not in there:
                self.tell_rules(gone, DELETED, gone)
        self.seen = there

    def new_item(self, resource: Resource, status: str) -> Item:
        self.items += 1
        return make_item(resource, status, self.account_id, self.region_name, now(), self.items)
