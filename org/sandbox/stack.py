"""A CloudFormation stack that converges on its template, or goes back to what it was.

In place of moto's stack, which never rolls back, misses changes that come through Fn::Sub, and forgets properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Event
from moto.cloudformation.parsing import Export
from moto.cloudformation.utils import generate_stack_id
from moto.core.utils import utcnow

from org.sandbox.stack_permissions import Actor, require
from org.sandbox.stack_resources import (
    REFUSALS,
    StackRequest,
    StackResource,
    describe_failure,
    failure_reason,
    make_name,
    needs_replacement,
    reason_of,
)
from org.sandbox.stack_types import find_type
from org.sandbox.stack_types.interface import ResourceRefused, ResourceType, Wanted, refuse_malformed_properties
from org.sandbox.stack_view import StackView
from org.sandbox.template import order_resources, parse_template
from org.sandbox.template_functions import Scope, resolve


@dataclass(slots=True)
class _Deployment:
    """One attempt to converge: how to take back what it has done, and what to remove once it is done."""

    scope: Scope
    tags: Mapping[str, str]
    actor: Actor | None
    undo: list[Callable[[], Any]] = field(default_factory=list)
    obsolete: list[StackResource] = field(default_factory=list)
    working_on: str = ""


class SandboxStack(StackView):
    """One stack in one account and Region; `exports` is shared by all of them there."""

    def __init__(
        self,
        account_id: str,
        region: str,
        name: str,
        request: StackRequest,
        exports: dict[str, Export],
        **settings: Any,
    ) -> None:
        # moto's own constructor would evaluate the template its way.
        self.stack_id = generate_stack_id(name, region, account_id)
        self.name = name
        self.account_id = account_id
        self.region_name = region
        self.notification_arns = settings.get("notification_arns") or []
        self.role_arn = settings.get("role_arn")
        self.enable_termination_protection = bool(settings.get("enable_termination_protection"))
        self.timeout_in_minutes = settings.get("timeout_in_mins")
        self.policy = settings.get("stack_policy_body") or ""
        self.creation_time = utcnow()
        self.disable_rollback = False
        self.status = "CREATE_PENDING"
        self.stack_status_reason: str | None = None
        self.events: list[Event] = []
        self._adopt(request)
        self._exports = exports
        self._resources: dict[str, StackResource] = {}
        self._outputs: list[dict[str, Any]] = []

    # --- deployment

    def create_resources(self, actor: Actor | None = None) -> None:
        """Create everything; where one resource fails, remove all and stay behind as ROLLBACK_COMPLETE.

        Without an actor, here and below, nobody's permissions are asked for.
        """
        self._change_status("CREATE_IN_PROGRESS", "User Initiated")
        self._converge(StackRequest(self.template, self.parameters, self.tags), "CREATE", "ROLLBACK", actor)

    def update_to(self, request: StackRequest, actor: Actor | None = None) -> None:
        """Change to what is asked; where one resource fails, go back to what was before."""
        self._change_status("UPDATE_IN_PROGRESS", "User Initiated")
        self._converge(request, "UPDATE", "UPDATE_ROLLBACK", actor)

    @property
    def failed(self) -> bool:
        return "ROLLBACK" in self.status or self.status.endswith("FAILED")

    def is_as_asked(self, request: StackRequest) -> bool:
        """Say whether an update to the request would change nothing."""
        return (
            parse_template(request.template) == self.template_dict
            and request.parameters == self.parameters
            and request.tags == self.tags
        )

    def delete(self, actor: Actor | None = None) -> None:
        self._change_status("DELETE_IN_PROGRESS", "User Initiated")
        for resource in reversed(list(self._resources.values())):
            try:
                resource.delete(actor)
            except REFUSALS as error:
                self._record(resource.wanted, "DELETE_FAILED", reason_of(error))
                self._change_status("DELETE_FAILED", describe_failure(resource, reason_of(error)))
                return
            del self._resources[resource.logical_resource_id]
            self._record(resource.wanted, "DELETE_SKIPPED" if resource.retained else "DELETE_COMPLETE")
        self._withdraw_exports()
        self._change_status("DELETE_COMPLETE")

    def _converge(self, request: StackRequest, action: str, rollback: str, actor: Actor | None) -> None:
        before = dict(self._resources)
        template = parse_template(request.template)
        deployment = _Deployment(self._make_scope(template, request.parameters), request.tags, actor)
        try:
            active = [name for name in order_resources(template) if self._is_active(name, deployment.scope)]
            for logical_id in active:
                deployment.working_on = logical_id
                self._put(logical_id, deployment)
            self._publish_outputs(template, deployment.scope)
        except REFUSALS as error:
            reason = failure_reason(template, deployment.working_on, reason_of(error))
            self._change_status(f"{rollback}_IN_PROGRESS", reason)
            self._take_back(deployment, before, rollback, reason)
            return
        gone = [resource for name, resource in reversed(before.items()) if name not in active]
        self._clean_up(deployment.obsolete + gone, actor)
        self._resources = {name: self._resources[name] for name in active}
        self._adopt(request)
        self._change_status(f"{action}_COMPLETE")

    def _adopt(self, request: StackRequest) -> None:
        self.template: Any = request.template
        self.template_dict: Any = parse_template(request.template)
        self.description = self.template_dict.get("Description")
        self.parameters: dict[str, Any] = dict(request.parameters)
        self.tags = dict(request.tags)

    def _refer_to(self, logical_id: str) -> str:
        return self._find_resource(logical_id).physical_resource_id

    def _get_attribute(self, logical_id: str, attribute: str) -> Any:
        resource = self._find_resource(logical_id)
        return resource.kind.read_attribute(resource.created, resource.wanted, attribute)

    def _find_resource(self, logical_id: str) -> StackResource:
        if logical_id not in self._resources:
            raise ValidationError(
                message=f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources "
                "block of the template"
            )
        return self._resources[logical_id]

    # --- one resource

    def _put(self, logical_id: str, deployment: _Deployment) -> None:
        definition = deployment.scope.template["Resources"][logical_id]
        properties = resolve(definition.get("Properties") or {}, deployment.scope)
        kind = find_type(definition["Type"])
        assert kind is not None, "check_supported has seen the template"
        policy = definition.get("DeletionPolicy", "Delete")
        existing = self._resources.get(logical_id)
        wanted = self._want(logical_id, kind, properties, existing, deployment.tags)
        if existing is None:
            self._create(kind, wanted, deployment, policy)
        elif existing.kind is not kind:
            raise ResourceRefused(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{logical_id}]"
            )
        elif needs_replacement(existing, wanted):
            wanted = self._want(logical_id, kind, properties, None, deployment.tags)
            self._create(kind, wanted, deployment, policy)
            replaced = definition.get("UpdateReplacePolicy", "Delete")
            if replaced != "Retain":
                # The deletion policy speaks of a resource that leaves the template, not of one that is replaced.
                deployment.obsolete.append(replace(existing, policy=replaced))
        else:
            self._update(existing, wanted, deployment, policy)

    def _want(
        self,
        logical_id: str,
        kind: ResourceType,
        properties: Mapping[str, Any],
        existing: StackResource | None,
        tags: Mapping[str, str],
    ) -> Wanted:
        chosen = properties.get(kind.shape.name_property) if kind.shape.name_property else None
        name = chosen or (existing.wanted.name if existing else make_name(self.name, logical_id, kind.shape.name_limit))
        return Wanted(self.account_id, self.region_name, self.stack_id, logical_id, str(name), properties, tags)

    def _create(self, kind: ResourceType, wanted: Wanted, deployment: _Deployment, policy: str) -> None:
        self._record(wanted, "CREATE_IN_PROGRESS")
        require(deployment.actor, "create", kind, wanted)
        with refuse_malformed_properties():
            created = kind.create(wanted)
            made = StackResource(kind, wanted, created)
            deployment.undo.append(partial(made.delete, deployment.actor))
            created = kind.configure(created, None, wanted)
        self._resources[wanted.logical_id] = StackResource(kind, wanted, created, policy)
        self._record(wanted, "CREATE_COMPLETE")

    def _update(self, existing: StackResource, wanted: Wanted, deployment: _Deployment, policy: str) -> None:
        if wanted != existing.wanted:
            self._record(wanted, "UPDATE_IN_PROGRESS")
            require(deployment.actor, "update", existing.kind, wanted)
            deployment.undo.append(partial(_restore, existing, wanted, deployment.actor))
            with refuse_malformed_properties():
                created = existing.kind.configure(existing.created, existing.wanted, wanted)
            existing = replace(existing, wanted=wanted, created=created)
            self._record(wanted, "UPDATE_COMPLETE")
        self._resources[wanted.logical_id] = replace(existing, policy=policy)

    # --- after it

    def _take_back(self, deployment: _Deployment, before: dict[str, StackResource], rollback: str, reason: str) -> None:
        for step in reversed(deployment.undo):
            try:
                step()
            except REFUSALS as error:
                self._change_status(f"{rollback}_FAILED", f"{reason} Rollback failed: {reason_of(error)}")
                return
        self._resources = before
        self._change_status(f"{rollback}_COMPLETE", reason)

    def _clean_up(self, resources: list[StackResource], actor: Actor | None) -> None:
        for resource in resources:
            try:
                resource.delete(actor)
            except REFUSALS as error:
                # As AWS does: the update stands, and the resource is left behind.
                self._record(resource.wanted, "DELETE_FAILED", reason_of(error))


def _restore(existing: StackResource, changed: Wanted, actor: Actor | None) -> None:
    """Change a resource back, with the permissions that changing it takes."""
    require(actor, "update", existing.kind, existing.wanted)
    existing.kind.configure(existing.created, changed, existing.wanted)
