"""A CloudFormation template of the user's own, checked as far as text can be; pure.

The text goes to CloudFormation letter by letter as it stands in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from config.yaml_source import Composer, compose
from org.quotas import load_quotas
from org.source.findings import Finding, Place
from org.source.json_text import compose_json, places_in
from org.source.nodes import MappingNode, Node, ScalarNode, Unusable, plain
from stacksets.parameters import DeclaredParameter


@dataclass(frozen=True, slots=True)
class TemplateText:
    body: str
    parameters: Mapping[str, DeclaredParameter]


def read_template(text: str, file: str, findings: list[Finding]) -> TemplateText | None:
    """Answer what the template declares; None where it is none that a service-managed StackSet can deploy.

    What is wrong is added to `findings`; `file` is the file's name as the user can open it.
    """
    known = len(findings)
    most = load_quotas().stacksets.template_bytes
    if (size := len(text.encode())) > most:
        what = f"the template has {size:,} bytes, and CloudFormation takes {most:,} in a call"
        findings.append(Finding(Place(file), what, "split it into several StackSets"))
        return None
    try:
        if text.lstrip().startswith("{"):
            top = compose_json(text, places_in(text, file))
        else:
            top = compose(text, file, findings, _TemplateComposer)
    except Unusable as error:
        findings.append(error.finding)
        return None
    value = plain(top, findings)
    if not isinstance(top, MappingNode):
        findings.append(Finding(top.place, "the file is not a CloudFormation template", "begin with Resources:"))
        return None
    places = {key.text: key.place for key, _ in top.pairs}
    if "Resources" not in places:
        findings.append(Finding(top.place, "the template has no Resources", "describe at least one resource"))
    if "Transform" in places:
        what = "the template has a Transform, which service-managed StackSets refuse"
        findings.append(Finding(places["Transform"], what, "write the resources out, or process it first"))
    if len(findings) > known:
        return None
    declared = value.get("Parameters")
    parameters = declared if isinstance(declared, Mapping) else {}
    return TemplateText(text, {name: DeclaredParameter.of(entry) for name, entry in parameters.items()})


class _TemplateComposer(Composer):
    """YAML as CloudFormation reads it: with tags of its own, whose meaning is not needed here, and without aliases.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """

    if_empty = "begin with Resources:"

    def check_tag(self, _event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        """Leave tags to CloudFormation."""

    def alias(self, event: yaml.AliasEvent) -> Node:
        what = f"the alias *{event.anchor} stands in a template, and CloudFormation takes none"
        raise Unusable(Finding(self.place(event), what, "write the value out"))

    def scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        """Answer the text as it stands, but for the words that are true or false without quotes."""
        text = event.value
        return ScalarNode(self.place(event), text, _TRUTH.get(text.lower(), text) if event.implicit[0] else text)


_TRUTH = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)
