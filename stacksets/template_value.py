"""A template as a mapping, with the short forms of its functions written out: `!Ref X` is `{"Ref": "X"}`; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

_PLAIN = ("Ref", "Condition")
"""Functions that are called without `Fn::` in the long form.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""


def template_value(body: str) -> Mapping[str, Any] | None:
    """Answer what a template says, JSON or YAML; None for a text that is neither."""
    try:
        found = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, _Loader)  # noqa: S506 - derived from SafeLoader
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, dict) else None


class _Loader(yaml.SafeLoader):
    """YAML without objects of Python, and with the tags of CloudFormation."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in _PLAIN else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
# A date is text to CloudFormation, `Version: 2012-10-17` above all.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
