"""Calls of EC2 that start instances or ask for them, or give a running one another root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.teller import Teller, tags_for, tags_in
from handlers.lineage.model import Key, Kind, Relation

_TEMPLATE_ID, _TEMPLATE_VERSION = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"


def run_instances(call: Call, tell: Teller) -> None:
    asked = [each for row in call.request.rows("instancesset") if (each := row.text("imageid"))]
    template = tell.template(call.request.node("launchtemplate", "launchtemplatespecification"))
    tags = tags_for("instance", call.request)
    started = call.response.rows("instancesset", "instances")
    _resolved(tell, set(asked), {row.text("imageid") for row in started})
    for row in started:
        instance = tell.thing(Kind.INSTANCE, row.need("instanceid"))
        own = {**tags, **tags_in(row.rows("tagset", "tags"))}
        tell.note(
            instance,
            own,
            owner=call.response.text("ownerid") or tell.account,
            state=row.node("instancestate", "state").text("name") or "pending",
            instance_type=row.text("instancetype"),
        )
        tell.relate(Relation.LAUNCHED_FROM, instance, tell.thing(Kind.IMAGE, row.need("imageid")))
        # The tags that EC2 itself puts tell which version it was; the call may have said `$Latest`.
        if _TEMPLATE_ID in own and _TEMPLATE_VERSION in own:
            tell.relate(Relation.USES, instance, tell.template_version(own[_TEMPLATE_ID], own[_TEMPLATE_VERSION]))
        elif template:
            tell.relate(Relation.USES, instance, template)
        for text in asked:
            if text.startswith("resolve:"):
                _refer(tell, Relation.USES, instance, text)
        for device in row.rows("blockdevicemapping", "blockdevicemappings"):
            volume = device.node("ebs").text("volumeid")
            if volume:
                tell.relate(
                    Relation.ATTACHED_TO, tell.thing(Kind.VOLUME, volume), instance, device=device.text("devicename")
                )


def _resolved(tell: Teller, asked: set[str], images: set[str | None]) -> None:
    """Say what a parameter stood for when it was launched by: PutParameter's value is hidden from CloudTrail.

    Only where one was asked for and one image came of it. Reasoned: the event's second is not that of the reading.
    A numbered version never changes; what points at one means the image until it is moved.
    """
    if len(asked) != 1 or len(images) != 1:
        return
    (text,), (image,) = asked, images
    pointer = tell.reference(text, "imageId") if image and text.startswith("resolve:") else None
    if image and pointer:
        numbered = pointer.rpartition(":")[2].isdecimal()
        relation = Relation.REFERENCES if numbered else Relation.RESOLVES_TO
        tell.relate(relation, pointer, tell.thing(Kind.IMAGE, image), inferred=True)


def run_scheduled_instances(call: Call, tell: Teller) -> None:
    specification = call.request.node("launchspecification")
    image = tell.thing(Kind.IMAGE, specification.need("imageid"))
    for id in call.response.texts("instanceidset", "instanceids"):
        instance = tell.thing(Kind.INSTANCE, id)
        tell.note(instance, owner=tell.account, state="pending", instance_type=specification.text("instancetype"))
        tell.relate(Relation.LAUNCHED_FROM, instance, image)


def create_fleet(call: Call, tell: Teller) -> None:
    """An instant fleet launches within the call, and no RunInstances tells of it: the response does."""
    fleet = tell.thing(Kind.FLEET, call.response.need("fleetid"))
    tell.note(fleet, tags_for("fleet", call.request), owner=tell.account, type=call.request.text("type"))
    _configure(tell, fleet, call.request.rows("launchtemplateconfigs", "launchtemplateconfig"))
    for row in call.response.rows("fleetinstanceset", "instances"):
        _fleet_instances(tell, row)


def _fleet_instances(tell: Teller, row: Node) -> None:
    launched = row.node("launchtemplateandoverrides")
    image = launched.node("overrides").text("imageid")
    template = tell.template(launched.node("launchtemplatespecification"))
    for id in row.texts("instanceids"):
        instance = tell.thing(Kind.INSTANCE, id)
        tell.note(instance, owner=tell.account, state="pending", instance_type=row.text("instancetype"))
        if template:
            tell.relate(Relation.USES, instance, template)
        if image and image.startswith("ami-"):
            tell.relate(Relation.LAUNCHED_FROM, instance, tell.thing(Kind.IMAGE, image))
        else:
            tell.gaps.append(f"the image of {id} is told by its launch template only")


def modify_fleet(call: Call, tell: Teller) -> None:
    fleet = tell.thing(Kind.FLEET, call.request.need("fleetid", "spotfleetrequestid"))
    _configure(tell, fleet, call.request.rows("launchtemplateconfigs", "launchtemplateconfig"))


def request_spot_instances(call: Call, tell: Teller) -> None:
    for row in call.response.rows("spotinstancerequestset", "spotinstancerequests"):
        request = tell.thing(Kind.FLEET, row.need("spotinstancerequestid"))
        tell.note(request, owner=tell.account)
        image = row.node("launchspecification").text("imageid") or call.request.node("launchspecification").need(
            "imageid"
        )
        _refer(tell, Relation.REFERENCES, request, image)


def request_spot_fleet(call: Call, tell: Teller) -> None:
    fleet, config = (
        tell.thing(Kind.FLEET, call.response.need("spotfleetrequestid")),
        call.request.node("spotfleetrequestconfig"),
    )
    tell.note(fleet, owner=tell.account, type=config.text("type"))
    for row in config.rows("launchspecifications", "launchspecificationset"):
        if row.text("imageid"):
            _refer(tell, Relation.REFERENCES, fleet, row.need("imageid"))
    _configure(tell, fleet, config.rows("launchtemplateconfigs", "launchtemplateconfig"))


def create_replace_root_volume_task(call: Call, tell: Teller) -> None:
    """DescribeInstances goes on telling the first image where a snapshot or volume was given [H for volumes].

    With none of the three the root goes back to the state of the launch.
    """
    task = call.response.node("replacerootvolumetask")
    instance = tell.thing(Kind.INSTANCE, call.request.need("instanceid"))
    for kind, name in ((Kind.IMAGE, "imageid"), (Kind.SNAPSHOT, "snapshotid"), (Kind.VOLUME, "volumeid")):
        id = call.request.text(name) or task.text(name)
        if id:
            tell.relate(Relation.ROOT_REPLACED_BY, instance, tell.thing(kind, id))
            return
    # From itself: back to what it was launched from, whatever replaced that in between.
    tell.relate(Relation.ROOT_REPLACED_BY, instance, instance)


def _configure(tell: Teller, owner: Key, configs: Iterable[Node]) -> None:
    for config in configs:
        template = tell.template(config.node("launchtemplatespecification"))
        if template:
            tell.relate(Relation.USES, owner, template)
        for override in config.rows("overrides"):
            if override.text("imageid"):
                _refer(tell, Relation.REFERENCES, owner, override.need("imageid"))


def _refer(tell: Teller, relation: Relation, owner: Key, text: str) -> None:
    parent = tell.reference(text, "imageId")
    if parent:
        tell.relate(relation, owner, parent)


READERS: Mapping[str, Reader] = {
    "CreateFleet": create_fleet,
    "CreateReplaceRootVolumeTask": create_replace_root_volume_task,
    "ModifyFleet": modify_fleet,
    "ModifySpotFleetRequest": modify_fleet,
    "RequestSpotFleet": request_spot_fleet,
    "RequestSpotInstances": request_spot_instances,
    "RunInstances": run_instances,
    "RunScheduledInstances": run_scheduled_instances,
}
