"""The types that moto itself can create: used where the sandbox has none of its own.

moto's models drop properties in silence, and break over some; a template that matters deserves a type of its own in
this package.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted

_NEVER = frozenset({"AWS::CloudFormation::Stack"})
"""StackSets with service-managed permissions refuse nested stacks, and plain stacks here do as well."""


class MotoType:
    """One of moto's own CloudFormation models, as a resource type."""

    def __init__(self, type_name: str, model: type[CloudFormationModel]) -> None:
        self._model = model
        self.shape = Shape(
            type_name,
            properties=None,
            attributes=None,
            name_property=model.cloudformation_name_type() or "",
            name_limit=64,
        )

    def create(self, wanted: Wanted) -> Created:
        with self._refuse_breakage("create"):
            resource = self._model.create_from_cloudformation_json(
                wanted.name,
                self._definition(wanted),
                wanted.account_id,
                wanted.region,
                LogicalId=wanted.logical_id,
                StackId=wanted.stack_id,
                ResourceType=self.shape.type_name,
            )
        return Created(resource.physical_resource_id, resource)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is None or old.properties == wanted.properties:
            return created
        update = self._model.update_from_cloudformation_json
        if hasattr(update, "__isabstractmethod__"):
            raise ResourceRefused(
                f"The orgctl sandbox cannot update {self.shape.type_name}; it can create and delete it."
            )
        with self._refuse_breakage("update"):
            resource = update(
                original_resource=created.model,
                new_resource_name=wanted.name,
                cloudformation_json=self._definition(wanted),
                account_id=wanted.account_id,
                region_name=wanted.region,
            )
        return Created(resource.physical_resource_id, resource)

    def delete(self, created: Created, wanted: Wanted) -> None:
        if hasattr(created.model, "delete"):
            with self._refuse_breakage("delete"):
                created.model.delete(wanted.account_id, wanted.region)
            return
        if hasattr(self._model.delete_from_cloudformation_json, "__isabstractmethod__"):
            raise ResourceRefused(f"The orgctl sandbox cannot delete {self.shape.type_name}.")
        with self._refuse_breakage("delete"):
            self._model.delete_from_cloudformation_json(
                created.physical_id, self._definition(wanted), wanted.account_id, wanted.region
            )

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        try:
            return created.model.get_cfn_attribute(name)
        except (UnformattedGetAttTemplateException, NotImplementedError) as error:
            raise ResourceRefused(
                f"The orgctl sandbox does not support Fn::GetAtt {wanted.logical_id}.{name} of {self.shape.type_name}."
            ) from error

    @contextmanager
    def _refuse_breakage(self, verb: str) -> Iterator[None]:
        """Have what moto's model cannot cope with fail the resource, and not the whole operation."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ResourceRefused(
                f"The orgctl sandbox cannot {verb} {self.shape.type_name} like this: moto breaks with {error!r}."
            ) from error

    def _definition(self, wanted: Wanted) -> dict[str, Any]:
        # moto's models change what they are given.
        return {"Type": self.shape.type_name, "Properties": copy.deepcopy(dict(wanted.properties))}


@lru_cache
def find_moto_type(type_name: str) -> MotoType | None:
    model = None if type_name in _NEVER else get_model_map().get(type_name)
    return MotoType(type_name, model) if model else None
