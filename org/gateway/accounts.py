"""AWS Account Management: alternate contacts and names, called from the management account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from org.errors import NotFound
from org.gateway.errors import aws_errors
from org.model import AccountId, Contact, ContactType

if TYPE_CHECKING:
    from mypy_boto3_account import AccountClient


@dataclass(frozen=True, slots=True)
class AccountsGateway:
    """The management account names itself by leaving `AccountId` out; the API refuses it otherwise.

    https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html
    """

    client: AccountClient
    management_account_id: AccountId

    def read_contact(self, account_id: AccountId, type: ContactType) -> Contact | None:
        try:
            with aws_errors("account:GetAlternateContact", account_id):
                answer = self.client.get_alternate_contact(AlternateContactType=type.value, **self._whose(account_id))
        except NotFound:
            return None
        found = answer["AlternateContact"]
        return Contact(
            name=found.get("Name", ""),
            title=found.get("Title", ""),
            email=found.get("EmailAddress", ""),
            phone=found.get("PhoneNumber", ""),
        )

    def put_contact(self, account_id: AccountId, type: ContactType, contact: Contact) -> None:
        with aws_errors("account:PutAlternateContact", account_id):
            self.client.put_alternate_contact(
                AlternateContactType=type.value,
                Name=contact.name,
                Title=contact.title,
                EmailAddress=contact.email,
                PhoneNumber=contact.phone,
                **self._whose(account_id),
            )

    def delete_contact(self, account_id: AccountId, type: ContactType) -> None:
        with aws_errors("account:DeleteAlternateContact", account_id):
            self.client.delete_alternate_contact(AlternateContactType=type.value, **self._whose(account_id))

    def put_name(self, account_id: AccountId, name: str) -> None:
        with aws_errors("account:PutAccountName", account_id):
            self.client.put_account_name(AccountName=name, **self._whose(account_id))

    def _whose(self, account_id: AccountId) -> dict[str, str]:
        return {} if account_id == self.management_account_id else {"AccountId": account_id}
