"""Policies of every type, and where they are attached."""

from __future__ import annotations

from typing import Any

from moto.organizations import utils

from org.policy_types import SERVICE_CONTROL_POLICY
from org.sandbox.directory import FULL_ACCESS, Directory
from org.sandbox.policy_rules import check_document
from org.sandbox.records import POLICY_ID, SandboxPolicy
from org.sandbox.refusals import Refusal, constraint, invalid
from org.sandbox.settings import current_settings
from org.sandbox.tag_rules import check_tags


class Policies(Directory):
    """`…PolicyType`, `…Policy`, AttachPolicy, DetachPolicy, and their lists."""

    # --- types

    def enable_policy_type(self, **kwargs: str) -> dict[str, Any]:
        policy_type = self._check_root_and_type(kwargs)
        if self.is_enabled(policy_type):
            message = "The specified policy type is already enabled."
            raise Refusal("PolicyTypeAlreadyEnabledException", message)
        self.enable_type(policy_type)
        return {"Root": self.root.describe()}

    def enable_type(self, policy_type: str) -> None:
        self.root.policy_types.append({"Type": policy_type, "Status": "ENABLED"})
        if policy_type in FULL_ACCESS.values():
            for target in self.all_targets():
                self.attach_defaults(target)

    def disable_policy_type(self, **kwargs: str) -> dict[str, Any]:
        policy_type = self._check_root_and_type(kwargs)
        if not self.is_enabled(policy_type):
            raise _type_not_enabled()
        self.root.policy_types.remove({"Type": policy_type, "Status": "ENABLED"})
        for policy in self.find_policies(policy_type):
            for target in policy.attachments:
                target.attached_policies.remove(policy)
            policy.attachments = []
        return {"Root": self.root.describe()}

    def _check_root_and_type(self, kwargs: dict[str, str]) -> str:
        if kwargs["RootId"] != self.root.id:
            raise Refusal("RootNotFoundException", "You specified a root that doesn't exist.")
        policy_type = kwargs["PolicyType"]
        self.check_policy_type(policy_type)
        self._check_available()
        return policy_type

    def _check_available(self) -> None:
        if self.organization.feature_set != "ALL":
            message = "You can't use the policy type with the feature set currently enabled for this organization."
            raise Refusal("PolicyTypeNotAvailableForOrganizationException", message)

    # --- policies

    def create_policy(self, **kwargs: Any) -> dict[str, Any]:
        policy_type, name = kwargs["Type"], kwargs["Name"]
        self.check_policy_type(policy_type)
        self._check_available()
        self._check_words(name, kwargs.get("Description", ""))
        quota = current_settings().quotas.policy(policy_type)
        check_document(policy_type, kwargs["Content"], quota)
        tags = check_tags(kwargs.get("Tags", []), {}, self.quotas.tags)
        if sum(not policy.aws_managed for policy in self.find_policies(policy_type)) >= quota.per_organization:
            message = f"You have exceeded the number of policies of the type {policy_type}."
            raise constraint("POLICY_NUMBER_LIMIT_EXCEEDED", message)
        id = self.ids.make_policy_id(policy_type, name)
        policy = SandboxPolicy(self.organization, id, policy_type, name, kwargs["Content"])
        policy.description = kwargs.get("Description", "")
        policy.tags = tags
        self.policies.append(policy)
        return policy.describe()

    def update_policy(self, **kwargs: Any) -> dict[str, Any]:
        policy = self._get_own_policy(kwargs["PolicyId"])
        name = str(kwargs.get("Name", policy.name))
        description = str(kwargs.get("Description", policy.description))
        content = str(kwargs.get("Content", policy.content))
        self._check_words(name, description, changed=policy)
        check_document(policy.type, content, current_settings().quotas.policy(policy.type))
        policy.name, policy.description, policy.content = name, description, content
        return policy.describe()

    def delete_policy(self, **kwargs: Any) -> None:
        policy = self._get_own_policy(kwargs["PolicyId"])
        if policy.attachments:
            message = "The policy is attached to one or more entities. You must detach it from all of them first."
            raise Refusal("PolicyInUseException", message)
        self.policies.remove(policy)

    def describe_policy(self, **kwargs: Any) -> dict[str, Any]:
        return self.get_policy_by_id(kwargs["PolicyId"]).describe()

    def get_policy_by_id(self, policy_id: str) -> SandboxPolicy:
        if not POLICY_ID.fullmatch(policy_id):
            raise invalid("INVALID_SYNTAX_POLICY_ID", "You specified an invalid policy ID.")
        policy = next((each for each in self.policy_list() if each.id == policy_id), None)
        if policy is None:
            raise Refusal("PolicyNotFoundException", "You specified a policy that doesn't exist.")
        return policy

    def find_policies(self, policy_type: str) -> list[SandboxPolicy]:
        self.check_policy_type(policy_type)
        return [policy for policy in self.policy_list() if policy.type == policy_type]

    def _get_own_policy(self, policy_id: str) -> SandboxPolicy:
        policy = self.get_policy_by_id(policy_id)
        if policy.aws_managed:
            message = "You specified a policy that is managed by AWS and can't be modified."
            raise invalid("IMMUTABLE_POLICY", message)
        return policy

    def _check_words(self, name: str, description: str, changed: SandboxPolicy | None = None) -> None:
        if len(name) > self.quotas.policy_name:
            message = f"The name is longer than {self.quotas.policy_name} characters."
            raise invalid("MAX_LENGTH_EXCEEDED", message)
        if len(description) > self.quotas.policy_description:
            message = f"The description is longer than {self.quotas.policy_description} characters."
            raise invalid("MAX_LENGTH_EXCEEDED", message)
        # AWS does not say whether two policies of different types may share a name: assumed that they may not.
        if any(policy.name == name and policy is not changed for policy in self.policies):
            raise Refusal("DuplicatePolicyException", "A policy with the same name already exists.")

    # --- attachments

    def attach_policy(self, **kwargs: Any) -> None:
        policy = self.get_policy_by_id(kwargs["PolicyId"])
        target = self.get_target(kwargs["TargetId"])
        if not self.is_enabled(policy.type):
            raise _type_not_enabled()
        if policy in target.attached_policies:
            message = "A policy with the specified name and type is already attached to the target."
            raise Refusal("DuplicatePolicyAttachmentException", message)
        most = current_settings().quotas.policy(policy.type).max_per_target
        if len(_of_type(target, policy.type)) >= most:
            message = f"You have attained the maximum number of policies of type {policy.type} attached: {most}."
            raise constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)
        self.attach(policy, target)

    def detach_policy(self, **kwargs: str) -> None:
        policy = self.get_policy_by_id(kwargs["PolicyId"])
        target = self.get_target(kwargs["TargetId"])
        if policy not in target.attached_policies:
            message = "The policy isn't attached to the specified target in the specified root."
            raise Refusal("PolicyNotAttachedException", message)
        if policy.id == utils.DEFAULT_RCP_POLICY_ID:
            raise invalid("NON_DETACHABLE_POLICY", "You can't detach this AWS Managed Policy.")
        if policy.type == SERVICE_CONTROL_POLICY and len(_of_type(target, policy.type)) == 1:
            message = "Every root, OU and account must have at least one SCP attached."
            raise constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)
        target.attached_policies.remove(policy)
        policy.attachments.remove(target)

    def find_policies_on(self, target_id: str, policy_type: str) -> list[SandboxPolicy]:
        self.check_policy_type(policy_type)
        return _of_type(self.get_target(target_id), policy_type)

    def find_targets(self, policy_id: str) -> list[Any]:
        return self.get_policy_by_id(policy_id).attachments


def _of_type(target: Any, policy_type: str) -> list[SandboxPolicy]:
    return [policy for policy in target.attached_policies if policy.type == policy_type]


def _type_not_enabled() -> Refusal:
    message = "This operation can be performed only for enabled policy types."
    return Refusal("PolicyTypeNotEnabledException", message)
