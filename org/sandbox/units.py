"""Organizational units and the moves of accounts between them."""

from __future__ import annotations

from typing import Any

from org.sandbox.directory import Directory
from org.sandbox.records import ACCOUNT_ID, SandboxAccount, Unit
from org.sandbox.refusals import Refusal, constraint, invalid
from org.sandbox.tag_rules import check_tags

_NAME_LENGTH = 128


class Units(Directory):
    """`…OrganizationalUnit`, MoveAccount, ListParents, ListChildren."""

    def create_organizational_unit(self, **kwargs: Any) -> dict[str, Any]:
        parent_id, name = self.validate_parent_id(kwargs["ParentId"]), kwargs["Name"]
        self._check_name(parent_id, name)
        if len(self.chain_of(parent_id)) > self.quotas.unit_depth:
            message = "You attempted to create an organizational unit that is too many levels deep."
            raise constraint("OU_DEPTH_LIMIT_EXCEEDED", message)
        if len(self.ou) > self.quotas.units:
            raise constraint("OU_NUMBER_LIMIT_EXCEEDED", "You have exceeded the number of organizational units.")
        tags = check_tags(kwargs.get("Tags", []), {}, self.quotas.tags)
        unit = Unit(self.organization, Name=name, ParentId=parent_id)
        unit.id = self.ids.make_unit_id(self.root.id, parent_id, name)
        unit.tags = tags
        self.add_unit(unit)
        self.attach_defaults(unit)
        return {"OrganizationalUnit": self.render_unit(unit)}

    def update_organizational_unit(self, **kwargs: Any) -> dict[str, Any]:
        unit = self._get_unit(kwargs["OrganizationalUnitId"])
        name: str = kwargs.get("Name") or unit.name or ""
        if name != unit.name:
            self._check_name(unit.parent_id or "", name, renamed=unit)
            unit.name = name
        return {"OrganizationalUnit": self.render_unit(unit)}

    def delete_organizational_unit(self, **kwargs: Any) -> None:
        unit = self._get_unit(kwargs["OrganizationalUnitId"])
        if self.find_units_in(unit.id) or self.find_accounts_in(unit.id):
            message = "You attempted to delete an organizational unit that is not empty."
            raise Refusal("OrganizationalUnitNotEmptyException", message)
        for policy in unit.attached_policies:
            policy.attachments.remove(unit)
        self.drop_unit(unit)

    def describe_organizational_unit(self, **kwargs: Any) -> dict[str, Any]:
        return {"OrganizationalUnit": self.render_unit(self._get_unit(kwargs["OrganizationalUnitId"]))}

    def render_unit(self, unit: Unit) -> dict[str, Any]:
        return {"Id": unit.id, "Arn": unit.arn, "Name": unit.name, "Path": self.path_of(*self.chain_of(unit.id))}

    def find_units_in(self, parent_id: str) -> list[Unit]:
        return [unit for unit in self.ou if unit.parent_id == parent_id]

    def find_accounts_in(self, parent_id: str) -> list[SandboxAccount]:
        return [account for account in self.members() if account.parent_id == parent_id]

    def find_children(self, parent_id: str, child_type: str) -> list[str]:
        self.validate_parent_id(parent_id)
        if child_type == "ACCOUNT":
            return [account.id for account in self.find_accounts_in(parent_id)]
        if child_type == "ORGANIZATIONAL_UNIT":
            return [unit.id for unit in self.find_units_in(parent_id)]
        raise invalid("INVALID_ENUM", "You specified an invalid value.")

    def list_parents(self, **kwargs: Any) -> dict[str, Any]:
        child_id = kwargs["ChildId"]
        is_account = ACCOUNT_ID.fullmatch(child_id)
        child: Any = self._accounts_by_id.get(child_id) if is_account else self.find_parent(child_id)
        if child is None or child is self.root:
            raise Refusal(
                "ChildNotFoundException", "You specified an organizational unit or account that we can't find."
            )
        parent = self.get_organizational_unit_by_id(child.parent_id)
        return {"Parents": [{"Id": parent.id, "Type": parent.type}]}

    def move_account(self, **kwargs: Any) -> None:
        account = self.get_account_by_id(kwargs["AccountId"])
        source, destination = kwargs["SourceParentId"], kwargs["DestinationParentId"]
        if source != account.parent_id:
            raise Refusal("SourceParentNotFoundException", "You specified a source parent that doesn't exist.")
        if self.find_parent(destination) is None:
            raise Refusal(
                "DestinationParentNotFoundException", "You specified a destination parent that doesn't exist."
            )
        if destination == source:
            raise Refusal("DuplicateAccountException", "The account is already in the specified destination.")
        account.parent_id = destination
        self.announce(account.id, source=source, destination=destination)

    def _get_unit(self, unit_id: str) -> Unit:
        unit = self.get_organizational_unit_by_id(unit_id)
        if unit is self.root:
            raise invalid("INVALID_PATTERN", "You provided a value that does not match the required pattern.")
        return unit

    def _check_name(self, parent_id: str, name: str, renamed: Unit | None = None) -> None:
        if len(name) > _NAME_LENGTH:
            raise invalid("MAX_LENGTH_EXCEEDED", f"The name is longer than {_NAME_LENGTH} characters.")
        if any(unit.name == name and unit is not renamed for unit in self.find_units_in(parent_id)):
            message = "An OU with the same name already exists."
            raise Refusal("DuplicateOrganizationalUnitException", message)
