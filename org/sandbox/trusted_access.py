"""Trusted access of AWS services, and the delegated administrators of those services."""

from __future__ import annotations

from typing import Any

from moto.core.utils import unix_time
from moto.organizations.models import FakeDelegatedAdministrator

from org.sandbox.directory import Directory
from org.sandbox.records import ACTIVE, SandboxAccount
from org.sandbox.refusals import Refusal, constraint, invalid
from org.sandbox.services import MOST_ADMINISTRATORS, NOT_DELEGABLE, TRUSTED


class TrustedAccess(Directory):
    """`…AWSServiceAccess…` and `…DelegatedAdministrator…`."""

    def enable_aws_service_access(self, **kwargs: str) -> None:
        """Give a service trusted access; one that has it keeps it, with its date."""
        service = kwargs["ServicePrincipal"]
        self.require_all_features()
        _check_principal(service)
        if not self.is_trusted(service):
            self.services.append({"ServicePrincipal": service, "DateEnabled": unix_time()})

    def disable_aws_service_access(self, **kwargs: str) -> None:
        """Refuse while the service has administrators.

        AWS documents this of single services (StackSets, Network Manager) and is silent on the others: assumed of all.
        https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-cloudformation.html
        """
        service = kwargs["ServicePrincipal"]
        _check_principal(service)
        if self.find_administrators(service):
            message = "You must first deregister all delegated administrators for this service."
            raise constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", message)
        self.services[:] = [each for each in self.services if each["ServicePrincipal"] != service]

    def is_trusted(self, service: str) -> bool:
        return any(each["ServicePrincipal"] == service for each in self.services)

    def register_delegated_administrator(self, **kwargs: str) -> None:
        service = kwargs["ServicePrincipal"]
        self.require_all_features()
        account = self._get_candidate(kwargs["AccountId"])
        _check_principal(service)
        if service in NOT_DELEGABLE:
            raise _unrecognized(service)
        if not self.is_trusted(service):
            message = "You attempted to register a delegated administrator before you enabled service access."
            raise constraint("SERVICE_ACCESS_NOT_ENABLED", message)
        if self.is_administrator(account.id, service):
            message = "The provided account is already a delegated administrator for your organization."
            raise Refusal("AccountAlreadyRegisteredException", message)
        self._check_room(service)
        admin = self._find_admin(account.id)
        if admin is None:
            admin = FakeDelegatedAdministrator(account)
            self.admins.append(admin)
        admin.services[service] = {"ServicePrincipal": service, "DelegationEnabledDate": unix_time()}

    def _get_candidate(self, account_id: str) -> SandboxAccount:
        account = self.get_account_by_id(account_id)
        if account.id == self.account_id:
            message = "You cannot register the management account as a delegated administrator."
            raise constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", message)
        if account.state != ACTIVE:
            message = "You cannot register a suspended account as a delegated administrator."
            raise constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", message)
        return account

    def deregister_delegated_administrator(self, **kwargs: str) -> None:
        service = kwargs["ServicePrincipal"]
        account = self.get_account_by_id(kwargs["AccountId"])
        _check_principal(service)
        admin = self._find_admin(account.id)
        if admin is None or service not in admin.services:
            raise _not_registered()
        del admin.services[service]
        if not admin.services:
            self.admins.remove(admin)

    def find_administrators(self, service: str | None) -> list[dict[str, Any]]:
        if service:
            _check_principal(service)
        return [admin.describe() for admin in self.admins if not service or service in admin.services]

    def find_delegated_services(self, account_id: str) -> list[dict[str, Any]]:
        account = self.get_account_by_id(account_id)
        admin = self._find_admin(account.id)
        if admin is None:
            raise _not_registered()
        return list(admin.services.values())

    def is_administrator(self, account_id: str, service: str | None = None) -> bool:
        """Say whether the account administers the service, or, without one, any service."""
        admin = self._find_admin(account_id)
        return admin is not None and (service is None or service in admin.services)

    def _find_admin(self, account_id: str) -> FakeDelegatedAdministrator | None:
        return next((admin for admin in self.admins if admin.account.id == account_id), None)

    def _check_room(self, service: str) -> None:
        present = sum(service in admin.services for admin in self.admins)
        most = MOST_ADMINISTRATORS.get(service)
        if most is not None and present >= most:
            message = f"{service} already has a delegated administrator. Deregister it first."
            reason = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"
            if most > 1:
                reason = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"
                message = f"You attempted to register more delegated administrators than allowed for {service}: {most}."
            raise constraint(reason, message)


def _check_principal(service: str) -> None:
    if service not in TRUSTED:
        raise _unrecognized(service)


def _unrecognized(service: str) -> Refusal:
    return invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", f"You specified an unrecognized service principal: {service}.")


def _not_registered() -> Refusal:
    message = "The provided account is not a registered delegated administrator for your organization."
    return Refusal("AccountNotRegisteredException", message)
