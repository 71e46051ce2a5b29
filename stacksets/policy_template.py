"""An organization policy as a CloudFormation template, so that cfn-lint, checkov and readers see it like the rest.

orgctl itself does not deploy these templates: it calls AWS Organizations, which knows more policy types.
"""

from __future__ import annotations

import json
from typing import ClassVar

from troposphere import Tags, Template
from troposphere.organizations import Policy

from org.model import DesiredPolicy


class _AnyTypePolicy(Policy):  # type: ignore[misc]  # troposphere is untyped
    """Takes every policy type: troposphere's own check refuses those that are younger than it."""

    props: ClassVar = {**Policy.props, "Type": (str, True)}


def render_policy_template(policy: DesiredPolicy) -> Template:
    """Render the policy without its targets: their ids are known to the organization alone."""
    template = Template(f"{policy.type} {policy.name}"[:1024])
    template.set_version()
    settings: dict[str, object] = {"Name": policy.name, "Type": policy.type, "Content": json.loads(policy.content)}
    if policy.description:
        settings["Description"] = policy.description
    if tags := {key: value for key, value in sorted(policy.tags.items()) if value is not None}:
        settings["Tags"] = Tags(tags)
    template.add_resource(_AnyTypePolicy("Policy", **settings))
    return template
