"""What a stack is seen as: its parameters, resources, outputs, exports and events, in moto's shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Event, Stack
from moto.cloudformation.parsing import Export
from moto.ssm.models import ssm_backends
from moto.utilities.utils import get_partition

from org.sandbox.stack_resources import StackResource
from org.sandbox.stack_types.interface import ResourceRefused, Wanted
from org.sandbox.template import Template
from org.sandbox.template_functions import Scope, as_text, holds, parameter_values, resolve


class StackView(Stack):
    """The part of a stack that says what there is; `_exports` is shared by all stacks of an account and Region."""

    _exports: dict[str, Export]
    _resources: dict[str, StackResource]
    _outputs: list[dict[str, Any]]
    events: list[Event]
    parameters: dict[str, Any]
    template_dict: Any

    def _refer_to(self, logical_id: str) -> str:
        raise NotImplementedError

    def _get_attribute(self, logical_id: str, attribute: str) -> Any:
        raise NotImplementedError

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    def is_created(self) -> bool:
        return True

    @property
    def parameter_list(self) -> list[dict[str, Any]]:
        declared = self.template_dict.get("Parameters") or {}
        return [
            {
                "ParameterKey": name,
                "ParameterValue": "****"
                if declaration.get("NoEcho")
                else as_text(self.parameters.get(name, declaration.get("Default"))),
            }
            for name, declaration in declared.items()
        ]

    @property
    def stack_parameters(self) -> dict[str, Any]:
        return {**self.parameters}

    @property
    def stack_resources(self) -> Any:
        return list(self._resources.values())

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        return self._outputs or None

    @property
    def exports(self) -> list[Export]:
        return [export for export in self._exports.values() if export.exporting_stack_id == self.stack_id]

    def _make_scope(self, template: Template, parameters: Mapping[str, str]) -> Scope:
        partition = get_partition(self.region_name)
        pseudo = {
            "AWS::AccountId": self.account_id,
            "AWS::NotificationARNs": list(self.notification_arns),
            "AWS::Partition": partition,
            "AWS::Region": self.region_name,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        values = parameter_values(template, parameters, self._read_ssm)
        exports = {name: export.value for name, export in self._exports.items()}
        return Scope(template, pseudo | values, self._refer_to, self._get_attribute, exports)

    def _read_ssm(self, name: str) -> str:
        parameter = ssm_backends[self.account_id][self.region_name].get_parameter(name)
        if parameter is None:
            raise ValidationError(message=f"Unable to fetch parameters [{name}] from parameter store for this account.")
        return str(parameter.value)

    def _is_active(self, logical_id: str, scope: Scope) -> bool:
        condition = scope.template["Resources"][logical_id].get("Condition")
        return condition is None or holds(scope, condition)

    def _publish_outputs(self, template: Template, scope: Scope) -> None:
        outputs, exports = [], {}
        for key, output in (template.get("Outputs") or {}).items():
            if "Condition" in output and not holds(scope, output["Condition"]):
                continue
            value = as_text(resolve(output["Value"], scope))
            name = resolve(output["Export"]["Name"], scope) if "Export" in output else None
            outputs.append(
                {
                    "OutputKey": key,
                    "OutputValue": value,
                    "Description": output.get("Description"),
                    "ExportName": name,
                }
            )
            if name:
                exports[name] = Export(self.stack_id, name, value)
        for name in exports:
            owner = self._exports[name].exporting_stack_id if name in self._exports else self.stack_id
            if owner != self.stack_id:
                raise ResourceRefused(f"Export with name {name} is already exported by stack {owner}.")
        self._withdraw_exports()
        self._exports.update(exports)
        self._outputs = outputs

    def _withdraw_exports(self) -> None:
        for export in self.exports:
            del self._exports[export.name]

    def _change_status(self, status: str, reason: str = "") -> None:
        self.status = status
        self.stack_status_reason = reason or None
        self._add_stack_event(status, resource_status_reason=reason or None)

    def _record(self, wanted: Wanted, status: str, reason: str | None = None) -> None:
        self.events.append(
            Event(
                stack_id=self.stack_id,
                stack_name=self.name,
                logical_resource_id=wanted.logical_id,
                physical_resource_id=wanted.name,
                resource_type=self.template_dict["Resources"].get(wanted.logical_id, {}).get("Type", ""),
                resource_status=status,
                resource_status_reason=reason,
                resource_properties=None,
            )
        )
