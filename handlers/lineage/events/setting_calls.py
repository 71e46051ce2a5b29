"""Calls that change what an account allows in a Region, and calls of Systems Manager that move a parameter."""

from __future__ import annotations

import json
from collections.abc import Mapping

from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import Key, Relation

_IMAGE = "aws:ec2:image"


def _sets(setting: str, member: str, off: str) -> Reader:
    def read(call: Call, tell: Teller) -> None:
        state = call.response.text(member) or call.request.text(member)
        tell.note(tell.place(), **{setting: state or (off if call.name.startswith("Disable") else "enabled")})

    return read


def replace_criteria(call: Call, tell: Teller) -> None:
    """The criteria as one text: that they changed, when and by whom, is what counts here."""
    rows = [row.plain() for row in call.request.rows("imagecriteria", "imagecriterion", "imagecriterionset")]
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    tell.note(tell.place(), allowed_images_criteria=text[:4000])


def put_parameter(call: Call, tell: Teller) -> None:
    """CloudTrail hides the value [H]: which image a new version names is then for GetParameter to tell."""
    name = call.request.need("name")
    pointer, version = tell.parameter(name), _version(tell, name, call.response.need("version"))
    data_type, value = call.request.text("datatype"), call.request.text("value")
    tell.note(pointer, owner=tell.account, state="available", data_type=data_type)
    tell.note(version, owner=tell.account, data_type=data_type)
    tell.relate(Relation.RESOLVES_TO, pointer, version)
    if value and value.startswith("ami-"):
        image = tell.reference(value, "value")
        if image:
            tell.relate(Relation.REFERENCES, version, image)
    elif data_type == _IMAGE:
        tell.gaps.append("which image the parameter's new version names is not in the event")


def label_parameter_version(call: Call, tell: Teller) -> None:
    name, wrong = call.request.need("name"), set(call.response.texts("invalidlabels"))
    number = call.response.text("parameterversion") or call.request.text("parameterversion")
    for label in call.request.texts("labels"):
        if label not in wrong:
            labelled = tell.parameter(f"{name}:{label}")
            # Without a number it is the newest.
            parent = _version(tell, name, number) if number else tell.parameter(name)
            tell.relate(Relation.RESOLVES_TO, labelled, parent)


def unlabel_parameter_version(call: Call, tell: Teller) -> None:
    name = call.request.need("name")
    parent = _version(tell, name, call.request.need("parameterversion"))
    removed = call.response.texts("removedlabels") or call.request.texts("labels")
    for label in removed:
        tell.relate(Relation.RESOLVES_TO, tell.parameter(f"{name}:{label}"), parent, holds=False)


def delete_parameters(call: Call, tell: Teller) -> None:
    one = call.request.text("name")
    for name in [one] if one else call.response.texts("deletedparameters"):
        tell.note(tell.parameter(name), state="deleted")


def _version(tell: Teller, name: str, number: str) -> Key:
    return tell.parameter(f"{name}:{number}")


READERS: Mapping[str, Reader] = {
    "DisableAllowedImagesSettings": _sets("allowed_images", "allowedimagessettingsstate", "disabled"),
    "DisableImageBlockPublicAccess": _sets("image_block_public_access", "imageblockpublicaccessstate", "unblocked"),
    "DisableSnapshotBlockPublicAccess": _sets("snapshot_block_public_access", "state", "unblocked"),
    "EnableAllowedImagesSettings": _sets("allowed_images", "allowedimagessettingsstate", "disabled"),
    "EnableImageBlockPublicAccess": _sets("image_block_public_access", "imageblockpublicaccessstate", "unblocked"),
    "EnableSnapshotBlockPublicAccess": _sets("snapshot_block_public_access", "state", "unblocked"),
    "ReplaceImageCriteriaInAllowedImagesSettings": replace_criteria,
}
PARAMETER_READERS: Mapping[str, Reader] = {
    "DeleteParameter": delete_parameters,
    "DeleteParameters": delete_parameters,
    "LabelParameterVersion": label_parameter_version,
    "PutParameter": put_parameter,
    "UnlabelParameterVersion": unlabel_parameter_version,
}
"""Of the source `aws.ssm`."""
