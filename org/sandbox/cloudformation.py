"""CloudFormation in one account and Region: its stacks, and the StackSets that are administered there."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from types import ModuleType
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, cloudformation_backends

from org.sandbox.stack import SandboxStack
from org.sandbox.stack_permissions import Actor
from org.sandbox.stack_resources import StackRequest

if TYPE_CHECKING:
    from org.sandbox.stackset_model import StackSet


class SandboxCloudFormation(CloudFormationBackend):
    """moto's backend with stacks that roll back, and our StackSets in place of its own."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.stack_sets: dict[str, StackSet] = OrderedDict()
        """By id, the deleted ones included."""

    @property
    def _url_module(self) -> ModuleType:
        # moto derives the name of this module from ours, and would not find it.
        return importlib.import_module("moto.cloudformation.urls")

    def deploy_stack(
        self, name: str, request: StackRequest, actor: Actor | None = None, **settings: Any
    ) -> SandboxStack:
        """Create the stack as the actor; whether that worked is in its status."""
        if any(stack.name == name for stack in self.stacks.values()):
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        request.check()
        stack = SandboxStack(self.account_id, self.region_name, name, request, self.exports, **settings)
        self.stacks[stack.stack_id] = stack
        stack.create_resources(actor)
        return stack

    def find_stack(self, name_or_id: str) -> SandboxStack | None:
        """Answer a stack that is not deleted."""
        for stack in self.stacks.values():
            if name_or_id in (stack.name, stack.stack_id):
                assert isinstance(stack, SandboxStack)
                return stack
        return None

    def delete_stack(self, name_or_stack_id: str, actor: Actor | None = None) -> None:
        """Delete the stack and what it holds; where a resource refuses, it stays as DELETE_FAILED."""
        stack = self.find_stack(name_or_stack_id)
        if stack is None:
            return
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        stack.delete(actor)
        if stack.status == "DELETE_COMPLETE":
            self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)


def find_backend(account_id: str, region: str) -> SandboxCloudFormation:
    backend = cloudformation_backends[account_id][region]
    assert isinstance(backend, SandboxCloudFormation), "install() has not run"
    return backend
