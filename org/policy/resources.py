"""The Resource element, compiled into one function of what is asked for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from collections.abc import Callable

from org.policy.conditions import Context
from org.policy.model import Statement
from org.policy.patterns import FALSE, UNKNOWN, Matcher, either, matcher_of, negation, relation
from org.policy.request import Principal
from org.policy.variables import Template, template_of

Check = Callable[[str, bool, Context, bool, Principal], int]
"""Of the resource, whether it holds wildcards, the context, whether that is complete, and the principal."""


def resource_check(statement: Statement, version: str, is_foreign: Callable[[str], bool]) -> Check | None:
    """Build the test of Resource or NotResource; None where it means every resource."""
    if not statement.resources or ("*" in statement.resources and not statement.not_resources):
        return None
    templates = tuple(template_of(text, version) for text in statement.resources)
    patterns = tuple(template for template in templates if isinstance(template, str))
    if len(patterns) < len(templates):
        return _filled_resource(templates, is_foreign, negated=statement.not_resources)
    return _plain_resource(patterns, matcher_of(patterns), negated=statement.not_resources)


def _plain_resource(patterns: tuple[str, ...], match: Matcher, *, negated: bool) -> Check:
    def check(resource: str, wild: bool, _context: Context, _complete: bool, _principal: Principal) -> int:
        if not wild:
            return match(resource) is not negated
        found = relation(patterns, resource)
        return negation(found) if negated else found

    return check


def _filled_resource(
    templates: tuple[str | Template, ...], is_foreign: Callable[[str], bool], *, negated: bool
) -> Check:
    def check(resource: str, wild: bool, context: Context, complete: bool, _principal: Principal) -> int:
        values: list[int] = []
        for template in templates:
            if isinstance(template, str):
                pattern, unsure = template, False
            else:
                filled, unsure = template.resolve(context, lambda key: complete or is_foreign(key))
                if filled is None:
                    values.append(UNKNOWN if unsure else FALSE)
                    continue
                pattern = filled
            values.append(relation((pattern,), resource) if wild else int(matcher_of((pattern,))(resource)))
        found = either(values)
        return negation(found) if negated else found

    return check
