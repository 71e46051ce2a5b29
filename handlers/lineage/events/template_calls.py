"""Calls that make, move or end what instances are launched by: launch templates of EC2, groups of EC2 Auto Scaling.

`lt-1:$Latest` and `lt-1:$Default` point at versions. A caller may name a template by its name, and the event then has
no id: so for each name `<account>/<name>:<version>` points at what it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.teller import Teller, tags_in
from handlers.lineage.model import Key, Kind, Relation

DEFAULT, LATEST = "$Default", "$Latest"
MOST_VERSIONS = 10_000
"""Of one template: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html."""


def create_launch_template(call: Call, tell: Teller) -> None:
    template = call.response.node("launchtemplate")
    id, name = template.need("launchtemplateid"), template.text("launchtemplatename")
    for pointer in (LATEST, DEFAULT):
        tell.relate(Relation.RESOLVES_TO, tell.template_version(id, pointer), tell.template_version(id, "1"))
        if name:
            _name(tell, name, id, pointer)
    _version(call, tell, id, name, "1", call.request.node("launchtemplatedata"))


def create_launch_template_version(call: Call, tell: Teller) -> None:
    made = call.response.node("launchtemplateversion")
    id, number = made.need("launchtemplateid"), made.need("versionnumber")
    asked, told = call.request.node("launchtemplatedata"), made.node("launchtemplatedata")
    version = _version(
        call, tell, id, made.text("launchtemplatename"), number, asked if asked.text("imageid") else told
    )
    tell.relate(Relation.RESOLVES_TO, tell.template_version(id, LATEST), version)
    source = call.request.text("sourceversion")
    if source and not asked.text("imageid") and not told.text("imageid"):
        # What the request leaves out is taken over from the source.
        tell.relate(Relation.REFERENCES, version, tell.template_version(id, source))


def _version(call: Call, tell: Teller, id: str, name: str | None, number: str, data: Node) -> Key:
    version = tell.template_version(id, number)
    tell.note(
        version, name=name, owner=tell.account, state="available", description=call.request.text("versiondescription")
    )
    if name:
        _name(tell, name, id, number)
    if data.text("imageid"):
        image = tell.reference(data.need("imageid"), "imageId")
        if image:
            tell.relate(Relation.REFERENCES, version, image)
    return version


def _name(tell: Teller, name: str, id: str, version: str) -> None:
    # Said here too: a template of that name may have been deleted before.
    tell.note(tell.template_by_name(name, version), state="available")
    tell.relate(Relation.RESOLVES_TO, tell.template_by_name(name, version), tell.template_version(id, version))


def modify_launch_template(call: Call, tell: Teller) -> None:
    template = call.response.node("launchtemplate")
    id = template.text("launchtemplateid") or call.request.need("launchtemplateid")
    number = template.text("defaultversionnumber") or call.request.text("setdefaultversion", "defaultversion")
    if number:
        tell.relate(Relation.RESOLVES_TO, tell.template_version(id, DEFAULT), tell.template_version(id, number))


def delete_launch_template(call: Call, tell: Teller) -> None:
    template = call.response.node("launchtemplate")
    id = template.text("launchtemplateid") or call.request.need("launchtemplateid")
    numbers = {DEFAULT: template.text("defaultversionnumber"), LATEST: template.text("latestversionnumber")}
    for pointer, number in numbers.items():
        key = tell.template_version(id, pointer)
        tell.note(key, state="deleted")
        tell.relate(Relation.RESOLVES_TO, key, tell.template_version(id, number or pointer), holds=False)
    name, newest = template.text("launchtemplatename"), numbers[LATEST] or ""
    count = int(newest) if newest.isdecimal() else 0
    if not 0 < count <= MOST_VERSIONS:
        tell.gaps.append("which versions were deleted with the template is told by their numbers only")
        count = 0
    for version in (DEFAULT, LATEST, *map(str, range(1, count + 1))):
        _delete_version(tell, id, name, version)


def _delete_version(tell: Teller, id: str, name: str | None, version: str) -> None:
    if version not in {DEFAULT, LATEST}:
        tell.note(tell.template_version(id, version), state="deleted")
    if name:
        tell.note(tell.template_by_name(name, version), state="deleted")


def delete_launch_template_versions(call: Call, tell: Teller) -> None:
    rows = call.response.rows(
        "successfullydeletedlaunchtemplateversionset", "successfullydeletedlaunchtemplateversions"
    )
    for row in rows:
        _delete_version(tell, row.need("launchtemplateid"), row.text("launchtemplatename"), row.need("versionnumber"))
    if rows:
        tell.gaps.append("which version is now the newest is told by DescribeLaunchTemplates only")


def configure_group(call: Call, tell: Teller) -> None:
    """CreateAutoScalingGroup, UpdateAutoScalingGroup, StartInstanceRefresh.

    EC2 Auto Scaling asks for its launches by its own role, which no SCP binds: what the group names is what counts.
    """
    group = tell.named(Kind.GROUP, call.request.need("autoscalinggroupname"))
    if call.name == "CreateAutoScalingGroup":
        tell.note(group, tags_in(call.request.rows("tags")), owner=tell.account, state="available")
    wanted = call.request.node("desiredconfiguration") if call.request.has("desiredconfiguration") else call.request
    policy = wanted.node("mixedinstancespolicy").node("launchtemplate")
    specifications = [wanted.node("launchtemplate"), policy.node("launchtemplatespecification")]
    for override in policy.rows("overrides"):
        specifications.append(override.node("launchtemplatespecification"))
        if override.text("imageid"):
            image = tell.reference(override.need("imageid"), "imageId")
            if image:
                tell.relate(Relation.REFERENCES, group, image)
    for specification in specifications:
        template = tell.template(specification)
        if template:
            tell.relate(Relation.USES, group, template)
    configuration = wanted.text("launchconfigurationname")
    if configuration:
        tell.relate(Relation.USES, group, tell.named(Kind.LAUNCH_CONFIGURATION, configuration))
    if call.request.text("instanceid"):
        tell.relate(Relation.REFERENCES, group, tell.thing(Kind.INSTANCE, call.request.need("instanceid")))
    if call.request.text("strategy"):
        # `ReplaceRootVolume` gives the running instances another root; each is told by its own task.
        tell.note(group, refresh_strategy=call.request.need("strategy"))


def create_launch_configuration(call: Call, tell: Teller) -> None:
    configuration = tell.named(Kind.LAUNCH_CONFIGURATION, call.request.need("launchconfigurationname"))
    tell.note(configuration, owner=tell.account, state="available")
    image, instance = call.request.text("imageid"), call.request.text("instanceid")
    parent = tell.reference(image, "imageId") if image else None
    if parent:
        tell.relate(Relation.REFERENCES, configuration, parent)
    elif instance:
        # Made after an instance: it takes that instance's image.
        tell.relate(Relation.REFERENCES, configuration, tell.thing(Kind.INSTANCE, instance))


def delete_group(call: Call, tell: Teller) -> None:
    tell.note(tell.named(Kind.GROUP, call.request.need("autoscalinggroupname")), state="deleted")


def delete_launch_configuration(call: Call, tell: Teller) -> None:
    name = call.request.need("launchconfigurationname")
    tell.note(tell.named(Kind.LAUNCH_CONFIGURATION, name), state="deleted")


READERS: Mapping[str, Reader] = {
    "CreateLaunchTemplate": create_launch_template,
    "CreateLaunchTemplateVersion": create_launch_template_version,
    "DeleteLaunchTemplate": delete_launch_template,
    "DeleteLaunchTemplateVersions": delete_launch_template_versions,
    "ModifyLaunchTemplate": modify_launch_template,
}
GROUP_READERS: Mapping[str, Reader] = {
    "CreateAutoScalingGroup": configure_group,
    "CreateLaunchConfiguration": create_launch_configuration,
    "DeleteAutoScalingGroup": delete_group,
    "DeleteLaunchConfiguration": delete_launch_configuration,
    "StartInstanceRefresh": configure_group,
    "UpdateAutoScalingGroup": configure_group,
}
"""Of the source `aws.autoscaling`."""
