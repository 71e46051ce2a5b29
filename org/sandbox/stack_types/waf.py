"""AWS::WAFv2::WebACL, WebACLAssociation and LoggingConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.utils import camelcase_to_underscores
from moto.wafv2.models import FakeRule, wafv2_backends

from org.sandbox.gateway.firewall import check_statement
from org.sandbox.stack_types.interface import Created, Properties, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.wafv2.models import FakeWebACL, WAFV2Backend

_ACTIONS = frozenset({"Allow", "Block", "Count"})


class WebACL:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html."""

    shape = Shape(
        "AWS::WAFv2::WebACL",
        properties=frozenset(
            {
                "AssociationConfig",
                "CustomResponseBodies",
                "DefaultAction",
                "Description",
                "Name",
                "Rules",
                "Scope",
                "Tags",
                "VisibilityConfig",
            }
        ),
        attributes=frozenset({"Arn", "Capacity", "Id", "LabelNamespace"}),
        name_property="Name",
        name_limit=128,
        replaced_by=frozenset({"Scope"}),
    )

    def create(self, wanted: Wanted) -> Created:
        properties = wanted.properties
        if properties["Scope"] != "REGIONAL":
            raise ResourceRefused("the orgctl sandbox emulates web ACLs of the Scope REGIONAL alone")
        acl = _backend(wanted).create_web_acl(
            wanted.name,
            dict(properties["VisibilityConfig"]),
            dict(properties["DefaultAction"]),
            "REGIONAL",
            "",
            [],
            [],
            None,
            None,
            None,
            None,
            None,
        )
        return Created(f"{wanted.name}|{acl.id}|REGIONAL")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        acl, properties, backend = _acl(created, wanted), wanted.properties, _backend(wanted)
        rules = [_rule(each) for each in properties.get("Rules", [])]
        if len({rule.priority for rule in rules}) != len(rules):
            raise ResourceRefused("WAFDuplicateItemException: two rules have the same Priority")
        acl.rules = rules
        acl.association_config = properties.get("AssociationConfig")
        acl.custom_response_bodies = properties.get("CustomResponseBodies")
        acl.default_action = dict(properties["DefaultAction"])
        acl.description = properties.get("Description", "")
        acl.visibility_config = dict(properties["VisibilityConfig"])
        backend.tag_resource(acl.arn, [{"Key": key, "Value": value} for key, value in wanted.tags.items()])
        backend.untag_resource(acl.arn, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        acl = _acl(created, wanted)
        if acl.associated_resources:
            raise ResourceRefused("WAFAssociatedItemException: AWS WAF couldn't perform the operation because your "
                                  "resource is being used by another resource")  # fmt: skip
        del _backend(wanted).wacls[acl.arn]

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        acl = _acl(created, wanted)
        return {"Arn": acl.arn, "Capacity": acl.capacity, "Id": acl.id, "LabelNamespace": acl.label_namespace}[name]


class WebACLAssociation:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webaclassociation.html."""

    shape = Shape(
        "AWS::WAFv2::WebACLAssociation",
        properties=frozenset({"ResourceArn", "WebACLArn"}),
        replaced_by=frozenset({"ResourceArn", "WebACLArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        backend = _backend(wanted)
        resource, acl = str(wanted.properties["ResourceArn"]), str(wanted.properties["WebACLArn"])
        if backend._find_apigw_stage(resource) is None:
            raise ResourceRefused(f"the orgctl sandbox associates web ACLs with stages of REST APIs alone ({resource})")
        if backend.get_web_acl_for_resource(resource) is not None:
            backend.disassociate_web_acl(resource)  # the newest association is what holds
        backend.associate_web_acl(acl, resource)
        return Created(f"{acl}|{resource}")

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # all replace it
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        acl, _, resource = created.physical_id.partition("|")
        found = _backend(wanted).wacls.get(acl)
        if found is not None and resource in found.associated_resources:
            _backend(wanted).disassociate_web_acl(resource)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


class LoggingConfiguration:
    """Kept, and shown; no request is logged.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-loggingconfiguration.html
    """

    shape = Shape(
        "AWS::WAFv2::LoggingConfiguration",
        properties=frozenset({"LogDestinationConfigs", "LoggingFilter", "RedactedFields", "ResourceArn"}),
        attributes=frozenset({"ManagedByFirewallManager"}),
        replaced_by=frozenset({"ResourceArn"}),
    )

    def create(self, wanted: Wanted) -> Created:
        if str(wanted.properties["ResourceArn"]) not in _backend(wanted).wacls:
            raise ResourceRefused("WAFNonexistentItemException: there is no such web ACL")
        return Created(str(wanted.properties["ResourceArn"]))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002 - all is written
        properties = wanted.properties
        destinations = list(properties["LogDestinationConfigs"])
        for each in destinations:
            _check_destination(str(each))
        _backend(wanted).put_logging_configuration(
            created.physical_id,
            destinations,
            properties.get("RedactedFields"),
            False,
            properties.get("LoggingFilter"),  # type: ignore[arg-type]  # moto keeps what there is
        )
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).logging_configurations.pop(created.physical_id, None)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only one
        return False


def _backend(wanted: Wanted) -> WAFV2Backend:
    return wafv2_backends[wanted.account_id][wanted.region]


def _acl(created: Created, wanted: Wanted) -> FakeWebACL:
    id = created.physical_id.split("|")[1]
    return next(each for each in _backend(wanted).wacls.values() if each.id == id)


def _check_destination(arn: str) -> None:
    """[H]: that WAF does not take a log group's ARN with the `:*` that Fn::GetAtt answers.

    https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    """
    name = arn.split(":", 5)[5].removeprefix("log-group:").removeprefix("deliverystream/").lstrip(":")
    if not name.startswith("aws-waf-logs-") or name.endswith(":*"):
        message = f"WAFInvalidParameterException: The ARN isn't valid: {arn} must end with a name aws-waf-logs-…"
        raise ResourceRefused(message)


def _rule(given: Properties) -> FakeRule:
    """Make the rule; ValueError for what of it the sandbox would neither do nor, knowingly, leave undone."""
    check_statement(given["Statement"])
    group = "ManagedRuleGroupStatement" in given["Statement"]
    action = given.get("OverrideAction" if group else "Action")
    allowed = frozenset({"Count", "None"}) if group else _ACTIONS
    if not action or set(action) - allowed:
        what = "OverrideAction" if group else "Action"
        raise ValueError(f"the {what} of the rule {given.get('Name')} must be one of {', '.join(sorted(allowed))}")
    return FakeRule(**{camelcase_to_underscores(name): value for name, value in given.items()})
