"""AWS::IAM::Role, of which moto's own model forgets most changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.iam.models import IAMBackend, iam_backends

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.iam.models import Role as MotoRole


class Role:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html."""

    shape = Shape(
        "AWS::IAM::Role",
        properties=frozenset(
            {
                "AssumeRolePolicyDocument",
                "Description",
                "ManagedPolicyArns",
                "MaxSessionDuration",
                "Path",
                "PermissionsBoundary",
                "Policies",
                "RoleName",
                "Tags",
            }
        ),
        attributes=frozenset({"Arn", "RoleId"}),
        name_property="RoleName",
        name_limit=64,
        replaced_by=frozenset({"Path"}),
    )

    def create(self, wanted: Wanted) -> Created:
        properties = wanted.properties
        if "AssumeRolePolicyDocument" not in properties:
            raise ResourceRefused("Properties validation failed: required key [AssumeRolePolicyDocument] not found")
        role = _backend(wanted).create_role(
            role_name=wanted.name,
            assume_role_policy_document=_document(properties["AssumeRolePolicyDocument"]),
            path=properties.get("Path", "/"),
            permissions_boundary=properties.get("PermissionsBoundary"),
            description=properties.get("Description", ""),
            tags=[],
            max_session_duration=str(properties.get("MaxSessionDuration", 3600)),
        )
        return Created(role.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, name, properties = _backend(wanted), created.physical_id, wanted.properties
        backend.update_assume_role_policy(name, _document(properties["AssumeRolePolicyDocument"]))
        backend.update_role(name, properties.get("Description", ""), str(properties.get("MaxSessionDuration", 3600)))
        if "PermissionsBoundary" in properties:
            backend.put_role_permissions_boundary(name, properties["PermissionsBoundary"])
        else:
            backend.delete_role_permissions_boundary(name)
        role = backend.get_role(name)
        _write_inline_policies(backend, role, old, wanted)
        _attach_managed_policies(backend, role, old, wanted)
        backend.tag_role(name, [{"Key": key, "Value": value} for key, value in wanted.tags.items()])
        backend.untag_role(name, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        backend, name = _backend(wanted), created.physical_id
        role = backend.get_role(name)
        for policy_arn in wanted.properties.get("ManagedPolicyArns", []):
            if policy_arn in role.managed_policies:
                backend.detach_role_policy(policy_arn, name)
        for policy_name in _inline_policies(wanted):
            role.policies.pop(policy_name, None)
        backend.delete_role(name)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        role = _backend(wanted).get_role(created.physical_id)
        return role.arn if name == "Arn" else role.id


def _backend(wanted: Wanted) -> IAMBackend:
    return iam_backends[wanted.account_id][wanted.partition]


def _document(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _inline_policies(wanted: Wanted | None) -> dict[str, str]:
    policies = wanted.properties.get("Policies", []) if wanted else []
    return {policy["PolicyName"]: _document(policy["PolicyDocument"]) for policy in policies}


def _write_inline_policies(backend: IAMBackend, role: MotoRole, old: Wanted | None, wanted: Wanted) -> None:
    policies = _inline_policies(wanted)
    for policy_name, document in policies.items():
        backend.put_role_policy(role.name, policy_name, document)
    for policy_name in removed_keys(_inline_policies(old), policies):
        role.policies.pop(policy_name, None)


def _attach_managed_policies(backend: IAMBackend, role: MotoRole, old: Wanted | None, wanted: Wanted) -> None:
    arns = wanted.properties.get("ManagedPolicyArns", [])
    for arn in arns:
        if arn not in role.managed_policies:
            backend.attach_role_policy(arn, role.name)
    for arn in old.properties.get("ManagedPolicyArns", []) if old else []:
        if arn not in arns and arn in role.managed_policies:
            backend.detach_role_policy(arn, role.name)
