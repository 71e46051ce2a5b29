"""What the sandbox does that no call to AWS would: events sent again or lost, strangers' images, schedules run at once.

    GET  …/events         → [event, …]: what was sent in the name of AWS, the oldest first
    DELETE …/events       → {}: what was sent so far is remembered no longer
    POST …/events         {"account": "111122223333", "region": "eu-central-1", "events": [event, …]} → {"published": 2}
    POST …/seed           {"for": "golden"} → {}: ids follow from the sandbox's seed, this, and the events so far
    POST …/finding-actions  {"action": id or ARN, "findings": [id, …]} → {"action": ARN, …}: a click in Security Hub
    POST …/public-images  {"account": "999988887777", "region": …, "name": …, "alias": "amazon"} → {"image": "ami-…"}
    POST …/images         {"region": …, "image": "ami-…", "says": {"SourceImageId": "ami-…", …}} → {}: see below
    POST …/silence        {"account": …, "region": …, "silent": true} → {}: events of that place are lost until false
    POST …/schedules      {"rule": "nightly"} or {} → [{"rule": arn, "schedule": …, "event": id}, …]: rules that ran
    GET  …/calls          → [{"principal": arn, "action": …, "resource": …, "by": …, "verdict": …, "count": 3}, …]
    GET  …/sent           → [{"protocol": "email", "endpoint": …, "subject": …, "message": …, …}, …], the oldest first

`images` has EC2 say of an image what `says` has, from then on: the members of DescribeImages in `_SAID`, null for none,
times in ISO 8601; and `Ancestry`, the entries of GetImageAncestry, null for those that follow from the source images.
The image may be deregistered.

PutEvents refuses `aws.…` as a source; this puts each event as it is on the default bus.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from org.sandbox.authorization.ledger import judged
from org.sandbox.ec2_backend import find_backend
from org.sandbox.ec2_visible_images import recall_image
from org.sandbox.event_buses import Bus, publish
from org.sandbox.failures import read_body
from org.sandbox.images import EVERYBODY, SandboxImage
from org.sandbox.schedules import run_schedules
from org.sandbox.securityhub.console import send_to_action
from org.sandbox.settings import current_settings
from org.sandbox.topics import sent
from org.sandbox.trail.events import forget_events, published, silence

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BAD = "400 Bad Request"
_SAID = {
    "Ancestry": "told_ancestry",
    "ImageAllowed": "image_allowed",
    "ImageWatermarks": "image_watermarks",
    "LastLaunchedTime": "last_launched_time",
    "ScanResults": "scan_results",
    "SourceImageId": "source_image_id",
    "SourceImageRegion": "source_image_region",
    "SourceInstanceId": "instance_id",
}
"""The attribute of the sandbox's image, by what EC2 calls it."""
_NO_TEXT = re.compile(r"(CreationDate|CreationTime|ScanDate|AvailableSince)$")
"""The names of times inside of them, which botocore reads as such."""
_REQUIRED = ("id", "detail-type", "source", "account", "region", "detail")
"""What the rules of a bus look at."""


def answer(environ: WSGIEnvironment) -> tuple[str, bytes]:
    """Answer the HTTP status and the JSON text."""
    what = environ.get("PATH_INFO", "").rpartition("/")[2]
    if environ["REQUEST_METHOD"] == "GET" and what == "events":
        return "200 OK", json.dumps(published()).encode()
    if environ["REQUEST_METHOD"] == "GET" and what == "sent":
        return "200 OK", json.dumps(sent()).encode()
    if environ["REQUEST_METHOD"] == "GET" and what == "calls":
        return "200 OK", json.dumps([each.to_dict() for each in judged()]).encode()
    if environ["REQUEST_METHOD"] == "DELETE" and what == "events":
        forget_events()
        return "200 OK", b"{}"
    try:
        asked: Any = json.loads(read_body(environ))
        done = _ACTIONS[what](asked)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return _BAD, json.dumps({"error": f"not as it should be: {error!r}"}).encode()
    return "200 OK", json.dumps(done).encode()


def _run_schedules(asked: Any) -> list[dict[str, Any]]:
    return run_schedules(str(asked.get("rule") or ""))


def _seed(asked: Any) -> dict[str, Any]:
    mock_random.seed(f"{current_settings().seed} {asked['for']} {len(published())}")
    return {}


def _say(asked: Any) -> dict[str, Any]:
    """Change what EC2 knows of an image."""
    image = recall_image(str(asked["image"]), str(asked["region"]))
    if image is None:
        raise ValueError(f"there is no {asked['image']}")
    attributes = {_SAID[name]: _read_times(value) for name, value in asked["says"].items()}
    for name, value in attributes.items():
        setattr(image, name, value)
    return {}


def _read_times(value: Any) -> Any:
    if isinstance(value, list):
        return [_read_times(each) for each in value]
    if isinstance(value, dict):
        return {
            name: datetime.fromisoformat(each) if _NO_TEXT.search(name) else _read_times(each)
            for name, each in value.items()
        }
    return value


def _silence(asked: Any) -> dict[str, Any]:
    silence(str(asked["account"]), str(asked["region"]), silent=bool(asked["silent"]))
    return {}


def _publish(asked: Any) -> dict[str, Any]:
    bus = Bus(str(asked["account"]), str(asked["region"]))
    events = asked["events"]
    for event in events:
        missing = [name for name in _REQUIRED if name not in event]
        if missing:
            raise ValueError(f"an event has no {', '.join(missing)}")
    for event in events:
        publish(event, bus)
    return {"published": len(events)}


def _make_public_image(asked: Any) -> dict[str, Any]:
    """Make an image, with its snapshot, of an account that is nobody's here."""
    backend = find_backend(str(asked["account"]), str(asked["region"]))
    for known in backend.amis.values():
        if isinstance(known, SandboxImage) and known.name == asked["name"]:
            return {"image": known.id}
    image = SandboxImage(
        backend,
        str(asked["name"]),
        owner_alias=asked.get("alias"),
        architecture="x86_64",
        virtualization_type="hvm",
        root_device_name="/dev/xvda",
    )
    image.launch_permissions = [EVERYBODY]
    image.ebs_snapshot.create_volume_permission_groups = {"all"}
    backend.amis[image.id] = image
    return {"image": image.id}


def _act(asked: Any) -> dict[str, Any]:
    return send_to_action(str(asked["action"]), [str(each) for each in asked["findings"]])


_ACTIONS = {
    "events": _publish,
    "finding-actions": _act,
    "images": _say,
    "public-images": _make_public_image,
    "schedules": _run_schedules,
    "seed": _seed,
    "silence": _silence,
}
