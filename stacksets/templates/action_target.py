"""AWS::SecurityHub::ActionTarget, which troposphere 4.11 lacks."""

from __future__ import annotations

from typing import ClassVar

from troposphere import AWSObject


class ActionTarget(AWSObject):  # type: ignore[misc]
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-actiontarget.html."""

    resource_type = "AWS::SecurityHub::ActionTarget"
    props: ClassVar = {"Description": (str, True), "Id": (str, True), "Name": (str, True)}
