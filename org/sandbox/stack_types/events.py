"""AWS::Events::Rule, EventBus and EventBusPolicy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.events.models import EventBusPolicyStatement, events_backends

from org.sandbox.rule_targets import check_target
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.events.models import EventBus as MotoBus
    from moto.events.models import EventsBackend
    from moto.events.models import Rule as MotoRule


class Rule:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html."""

    shape = Shape(
        "AWS::Events::Rule",
        properties=frozenset(
            {
                "Description",
                "EventBusName",
                "EventPattern",
                "Name",
                "RoleArn",
                "ScheduleExpression",
                "State",
                "Tags",
                "Targets",
            }
        ),
        attributes=frozenset({"Arn"}),
        name_property="Name",
        name_limit=64,
        replaced_by=frozenset({"EventBusName"}),
    )

    def create(self, wanted: Wanted) -> Created:
        bus = _rule_bus(wanted)
        if wanted.name in bus.rules:
            raise ResourceRefused(f"Rule {wanted.name} already exists on event bus {bus.name}.")
        self._put(wanted)
        return Created(wanted.name if bus.name == "default" else f"{bus.name}|{wanted.name}")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend = _backend(wanted)
        rule = self._put(wanted)
        targets = wanted.properties.get("Targets", [])
        try:
            for target in targets:
                check_target(target)
        except NotImplementedError as error:
            raise ResourceRefused(f"the orgctl sandbox does not emulate {error}") from error
        backend.put_targets(rule.name, rule.event_bus_name, targets)
        wanted_ids = {target["Id"] for target in targets}
        old_ids = [target["Id"] for target in old.properties.get("Targets", [])] if old else []
        rule.remove_targets([target_id for target_id in old_ids if target_id not in wanted_ids])
        _write_tags(backend, rule.arn, old, wanted)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        name = created.physical_id.rpartition("|")[2]
        rule = _rule_bus(wanted).rules[name]
        rule.remove_targets([target.get("Id", "") for target in wanted.properties.get("Targets", [])])
        _backend(wanted).delete_rule(name, rule.event_bus_name)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Arn
        return _rule_bus(wanted).rules[created.physical_id.rpartition("|")[2]].arn

    def _put(self, wanted: Wanted) -> MotoRule:
        properties = wanted.properties
        pattern = properties.get("EventPattern")
        rule: MotoRule = _backend(wanted).put_rule(
            wanted.name,
            description=properties.get("Description"),
            event_bus_arn=properties.get("EventBusName"),
            event_pattern=json.dumps(pattern) if isinstance(pattern, dict) else pattern,
            role_arn=properties.get("RoleArn"),
            scheduled_expression=properties.get("ScheduleExpression"),
            state=properties.get("State"),
        )
        return rule


class EventBus:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html."""

    shape = Shape(
        "AWS::Events::EventBus",
        properties=frozenset({"DeadLetterConfig", "Description", "KmsKeyIdentifier", "Name", "Policy", "Tags"}),
        attributes=frozenset({"Arn", "Name"}),
        name_property="Name",
        name_limit=256,
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(_backend(wanted).create_event_bus(wanted.name).name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, properties = _backend(wanted), wanted.properties
        bus = backend.describe_event_bus(created.physical_id)
        bus.description = properties.get("Description")
        bus.kms_key_identifier = properties.get("KmsKeyIdentifier")
        bus.dead_letter_config = properties.get("DeadLetterConfig")
        statements = _policy_statements(wanted)
        for statement_id in removed_keys(_policy_statements(old), statements):
            bus.remove_statement(statement_id)
        for statement_id, statement in statements.items():
            _write_statement(bus, statement_id, statement)
        _write_tags(backend, bus.arn, old, wanted)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        bus = _backend(wanted).describe_event_bus(created.physical_id)
        if bus.rules:
            raise ResourceRefused(f"Cannot delete event bus {bus.name} since it has rules.")
        _backend(wanted).delete_event_bus(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        bus = _backend(wanted).describe_event_bus(created.physical_id)
        return bus.arn if name == "Arn" else bus.name


class EventBusPolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html."""

    shape = Shape(
        "AWS::Events::EventBusPolicy",
        properties=frozenset({"EventBusName", "Statement", "StatementId"}),
        replaced_by=frozenset({"EventBusName", "StatementId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        bus, statement_id = _policy_bus(wanted), wanted.properties["StatementId"]
        if any(statement["Sid"] == statement_id for statement in _live_statements(bus)):
            raise ResourceRefused(f"Event bus {bus.name} already has a statement {statement_id}.")
        return Created(f"{bus.name}|{statement_id}")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        statement = wanted.properties.get("Statement")
        if not isinstance(statement, dict):
            raise ResourceRefused("Properties validation failed: Statement must be an object")
        _write_statement(_policy_bus(wanted), wanted.properties["StatementId"], statement)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        backend = _backend(wanted)
        bus_name, _, statement_id = created.physical_id.partition("|")
        if bus_name in backend.event_buses:
            backend.event_buses[bus_name].remove_statement(statement_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


def _backend(wanted: Wanted) -> EventsBackend:
    return events_backends[wanted.account_id][wanted.region]


def _rule_bus(wanted: Wanted) -> MotoBus:
    # Both a bus's name and its ARN are accepted.
    return _backend(wanted).describe_event_bus(wanted.properties.get("EventBusName", "default").rpartition("/")[2])


def _policy_bus(wanted: Wanted) -> MotoBus:
    return _backend(wanted).describe_event_bus(wanted.properties.get("EventBusName", "default"))


def _live_statements(bus: MotoBus) -> list[dict[str, Any]]:
    return list(json.loads(bus.policy)["Statement"]) if bus.policy else []


def _policy_statements(wanted: Wanted | None) -> dict[str, dict[str, Any]]:
    policy = wanted.properties.get("Policy", {}) if wanted else {}
    document = json.loads(policy) if isinstance(policy, str) else policy
    return {statement["Sid"]: statement for statement in document.get("Statement", [])}


def _write_statement(bus: MotoBus, statement_id: str, statement: dict[str, Any]) -> None:
    missing = [key for key in ("Effect", "Principal", "Action", "Resource") if key not in statement]
    if missing:
        raise ResourceRefused(f"Statement {statement_id} lacks {', '.join(missing)}.")
    # moto's add_policy would drop other statements with the same principal.
    bus._statements[statement_id] = EventBusPolicyStatement.from_dict({**statement, "Sid": statement_id})


def _write_tags(backend: EventsBackend, arn: str, old: Wanted | None, wanted: Wanted) -> None:
    backend.tagger.tag_resource(arn, [{"Key": key, "Value": value} for key, value in wanted.tags.items()])
    backend.tagger.untag_resource_using_names(arn, removed_keys(old.tags if old else {}, wanted.tags))
