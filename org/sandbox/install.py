"""Puts the sandbox's parts in the place of moto's, once a process."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from org.errors import OrgctlError
from org.sandbox.settings import Settings, use_settings

MOTO_VERSION = "5.2.5"

_installed = False


def install(settings: Settings | None = None) -> None:
    """Make this process's moto behave as the sandbox; a second call only changes the settings.

    Raises OrgctlError where moto is missing, or is not the version whose inside this was written for.
    """
    global _installed  # noqa: PLW0603 — what is replaced is moto's, and there is one moto in a process
    check_moto()
    use_settings(settings or Settings())
    if _installed:
        return
    from org.sandbox import (
        account_management,
        alarms,
        assume_role,
        ec2,
        event_buses,
        iam,
        neptune,
        organizations,
        secrets,
        stacksets,
        topics,
    )
    from org.sandbox.authorization import one_reading
    from org.sandbox.config_service import responses as config_service
    from org.sandbox.functions import api, configuration
    from org.sandbox.securityhub import responses as securityhub
    from org.sandbox.stack_types import function_settings

    parts = (
        iam,
        ec2,
        organizations,
        account_management,
        assume_role,
        event_buses,
        neptune,
        stacksets,
        securityhub,
        config_service,
        one_reading,
        function_settings,
        api,
        configuration,
        topics,
        alarms,
        secrets,
    )
    for part in parts:
        part.install()
    _installed = True


def check_moto() -> None:
    """Raise OrgctlError unless the moto that the sandbox needs is installed."""
    try:
        present = version("moto")
    except PackageNotFoundError:
        raise OrgctlError("sandbox", "moto is not installed", "pip install 'orgctl[sandbox]'") from None
    if present != MOTO_VERSION:
        what = f"moto {present} is installed, and the sandbox is written for {MOTO_VERSION}"
        raise OrgctlError("sandbox", what, "pip install 'orgctl[sandbox]'")
