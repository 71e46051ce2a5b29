"""Which properties of a resource cannot be changed in place: CloudFormation makes the resource anew.

Read from the resource schemas that cfn-lint brings along, so that a plan can say "replaced" without asking AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_PREFIX = "/properties/"
_REGION = "us-east-1"
"""Its set of resource types is the largest; createOnlyProperties do not differ between Regions."""


def create_only_properties(types: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Answer the properties of each type whose change replaces the resource, conditional ones among them.

    A nested property is named by its path, `Nested/Property`. A type that cfn-lint does not know, such as a custom
    resource, is left out: nothing is known of it.
    """
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    found: dict[str, frozenset[str]] = {}
    for type in sorted(set(types)):
        try:
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type).schema
        except ResourceNotFoundError:
            continue
        if schema.get("typeName") == type:
            pointers = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
            found[type] = frozenset(pointer.removeprefix(_PREFIX) for pointer in pointers)
    return found
