"""CloudFormation's API for plain stacks: moto's, with what AWS refuses refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.iam.models import iam_backends

from org.model import RequiredCall
from org.policy.context import principal_of
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.principals import caller_of
from org.sandbox.cloudformation import SandboxCloudFormation, find_backend
from org.sandbox.stack import SandboxStack
from org.sandbox.stack_permissions import SERVICE, Actor
from org.sandbox.stack_resources import StackRequest
from org.sandbox.stackset_requests import read_parameters
from org.sandbox.template import check_body_size, check_capabilities, parse_template

NOT_EMULATED = frozenset(
    {
        "create_change_set",
        "delete_change_set",
        "describe_change_set",
        "execute_change_set",
        "list_change_sets",
    }
)
"""moto's change sets would bypass our stacks."""

_REFUSED_OPTIONS = ("DisableRollback", "OnFailure", "ResourcesToImport", "RollbackConfiguration", "StackPolicyURL")


_S3_DENIED = (
    "S3 error: Access Denied\n"
    "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
)


class StackResponses(CloudFormationResponse):
    """CreateStack, UpdateStack and what goes with them."""

    @property
    def cloudformation_backend(self) -> SandboxCloudFormation:
        return find_backend(self.current_account, self.region)

    def call_action(self) -> TYPE_RESPONSE:
        action = camelcase_to_underscores(self._get_action() or "")
        if action in NOT_EMULATED:
            # moto's own way to say so, which the sandbox turns into an error that names the operation.
            raise NotImplementedError(f"The {action} action has not been implemented")
        return super().call_action()

    def create_stack(self) -> ActionResult:
        self._refuse_options()
        request = StackRequest(
            self._read_body(), read_parameters(self._get_param("Parameters", []), {}), self._read_tags() or {}
        )
        check_capabilities(parse_template(request.template), self._get_param("Capabilities", []))
        stack = self.cloudformation_backend.deploy_stack(
            self._get_param("StackName"),
            request,
            self._find_actor(self._get_param("RoleARN")),
            notification_arns=self._get_param("NotificationARNs", []),
            role_arn=self._get_param("RoleARN"),
            enable_termination_protection=self._get_param("EnableTerminationProtection"),
            timeout_in_mins=self._get_param("TimeoutInMinutes"),
            stack_policy_body=self._get_param("StackPolicyBody"),
        )
        return ActionResult({"StackId": stack.stack_id})

    def update_stack(self) -> ActionResult:
        self._refuse_options()
        stack = self._find_stack()
        tags = self._read_tags()
        request = StackRequest(
            str(stack.template) if self._get_bool_param("UsePreviousTemplate", False) else self._read_body(),
            read_parameters(self._get_param("Parameters", []), stack.parameters),
            stack.tags if tags is None else tags,
        )
        if not stack.status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")):
            raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        request.check()
        check_capabilities(parse_template(request.template), self._get_param("Capabilities", []))
        if stack.is_as_asked(request):
            raise ValidationError(message="No updates are to be performed.")
        stack.role_arn = self._get_param("RoleARN") or stack.role_arn
        stack.update_to(request, self._find_actor(stack.role_arn))
        return ActionResult({"StackId": stack.stack_id})

    def delete_stack(self) -> ActionResult:
        name = self._get_param("StackName")
        stack = self.cloudformation_backend.find_stack(name)
        if stack is not None:
            role = self._get_param("RoleARN") or stack.role_arn
            self.cloudformation_backend.delete_stack(name, self._find_actor(role))
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        stack = self._find_stack()
        stack.enable_termination_protection = bool(self._get_bool_param("EnableTerminationProtection", False))
        return ActionResult({"StackId": stack.stack_id})

    def _find_stack(self) -> SandboxStack:
        name = self._get_param("StackName")
        stack = self.cloudformation_backend.find_stack(name)
        if stack is None:
            raise ValidationError(message=f"Stack [{name}] does not exist")
        return stack

    def _find_actor(self, role_arn: str | None) -> Actor | None:
        """Answer who makes the resources: the stack's role if it has one, else the caller."""
        caller = caller_of(self.get_access_key(), self.region)
        if role_arn:
            roles = iam_backends[self.current_account][self.partition].roles.values()
            if role_arn not in {role.arn for role in roles}:
                raise ValidationError(message=f"Role {role_arn} is invalid or cannot be assumed")
            return Actor(principal_of(role_arn))
        return None if caller.is_administrator else Actor(caller.principal, is_forwarded=True)

    def _read_body(self) -> str:
        """Answer the template, from the request or from S3."""
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if bool(body) == bool(url):
            raise ValidationError(message="Either Template URL or Template Body must be specified.")
        if url:
            return self._get_stack_from_s3_url(url)
        check_body_size(body)
        return str(body)

    def _get_stack_from_s3_url(self, template_url: str) -> str:
        """Read a template as whoever asks, whichever role makes the resources.

        https://repost.aws/knowledge-center/cfn-s3-access-denied-error
        """
        caller = caller_of(self.get_access_key(), self.region)
        if not caller.is_administrator:
            object = f"arn:{self.partition}:s3:::{_object_at(template_url)}"
            try:
                authorize_as(caller.principal, RequiredCall("s3:GetObject", object), self.region, via=SERVICE)
            except Denied as denied:
                raise ValidationError(message=_S3_DENIED) from denied
        return super()._get_stack_from_s3_url(template_url)

    def _read_tags(self) -> dict[str, str] | None:
        """Answer the tags; None where the request does not speak of them."""
        given = self._get_params().get("Tags")
        return None if given is None else {tag["Key"]: tag["Value"] for tag in given}

    def _refuse_options(self) -> None:
        params: dict[str, Any] = self._get_params()
        for option in _REFUSED_OPTIONS:
            if params.get(option):
                raise ValidationError(message=f"the orgctl sandbox does not emulate {option} of a stack")


def _object_at(url: str) -> str:
    """Answer bucket and key, as moto takes them from the URL."""
    parts = urlsplit(url)
    path = parts.path.lstrip("/")
    by_path = "localhost" in url or (parts.netloc.startswith("s3") and parts.netloc.endswith("amazonaws.com"))
    return path if by_path else f"{parts.netloc.partition('.')[0]}/{path}"
