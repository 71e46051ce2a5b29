"""CloudFormation as the sandbox emulates it: StackSets with service-managed permissions, and stacks that roll back.

`install` puts it in place of moto's, once, before the first request.
"""

from __future__ import annotations

from moto.cloudformation import urls
from moto.cloudformation.models import cloudformation_backends

from org.sandbox.cloudformation import SandboxCloudFormation
from org.sandbox.membership import MembershipChange, subscribe
from org.sandbox.stackset_auto_deployment import redeploy_account
from org.sandbox.stackset_responses import StackSetResponses

_PATH = "{0}/$"


def install() -> None:
    """Replace moto's CloudFormation in this process, and forget what its own has made; a second time does nothing."""
    if cloudformation_backends.backend is SandboxCloudFormation:
        return
    cloudformation_backends.clear()
    cloudformation_backends.backend = SandboxCloudFormation
    urls.url_paths[_PATH] = StackSetResponses.dispatch
    subscribe(_hear_of)


def _hear_of(change: MembershipChange) -> None:
    redeploy_account(change.management_account, change.account, change.source, change.destination)
