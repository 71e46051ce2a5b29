"""The lineage account's stacks, one after the other: each gets the outputs of those before it.

Calls S3, CloudFormation, Security Hub and what `cli.deploy.place` calls, in the lineage account and the management
account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.deploy.code import Code, build_code, upload, upload_template
from cli.deploy.entry import enter
from cli.deploy.place import Place, check_concurrency, concurrency_limit, s3_prefix_list
from cli.deploy.stack import INLINE_BYTES, Difference, Stacks, Wanted
from org.errors import OrgctlError
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import AccountId, Region
from org.references import resolve
from stacksets.catalog import template_body
from stacksets.lineage_stacks import STACK_PREFIX, LineageStack, lineage_stacks


@dataclass(frozen=True, slots=True)
class Step:
    """One stack in one place."""

    stack: LineageStack
    account: AccountId
    region: Region
    body: str
    references: Mapping[str, str]

    def wanted(self, known: Mapping[str, str]) -> Wanted:
        declared = self.stack.template.to_dict().get("Parameters", {})
        given = {name: known[name] for name in declared if name in known}
        said = {name: resolve(value, self.references) for name, value in self.stack.parameters.items()}
        return Wanted(self.stack.stack_name, self.body, {**given, **said})


@dataclass(frozen=True, slots=True)
class Foreseen:
    step: Step
    difference: Difference


@dataclass(frozen=True, slots=True)
class Put:
    name: str
    region: Region
    changed: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    outputs: Mapping[str, str]
    """Of all stacks of the lineage account together."""
    stacks: tuple[Put, ...]


class Deployment:
    """What is to be deployed where; done again, it changes nothing.

    `graph_url`: instead of the cluster's own: the sandbox has no Neptune that answers.
    """

    def __init__(
        self,
        connection: Connection,
        place: Place,
        sleep: Callable[[float], None],
        *,
        graph_url: str = "",
    ) -> None:
        self._connection, self._place, self._sleep = connection, place, sleep
        self._in_sandbox = bool(connection.endpoint_url)
        self._overrides = {"GraphUrl": graph_url} if graph_url else {}
        self._there = enter(connection, place.lineage, place.home)
        self._known: dict[str, str] = {}
        self._code: Code | None = None
        self.steps = tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        place = self._place
        for stack in lineage_stacks(place.manifest):
            yield Step(stack, place.lineage, place.home, template_body(stack.template), place.references)

    def prepare(self) -> None:
        """Build the code, and find out what the stacks need of the account; changes nothing."""
        place, home = self._place, self._place.home
        if not self._in_sandbox:
            check_concurrency(concurrency_limit(self._there.client("lambda", home)))
        self._code = build_code(place.lineage, home, layer=not self._in_sandbox)
        self._known = {
            **self._code.parameters,
            "OrganizationId": place.organization_id,
            "S3PrefixList": s3_prefix_list(self._there.client("ec2", home), home),
            "Settings": place.settings,
            "CallerAccountIds": ",".join(sorted(place.api_callers)),
            **self._overrides,
        }

    def preview(self) -> tuple[Foreseen, ...]:
        """Compare each stack with what is there; what only an earlier stack tells is taken to stay as it is."""
        known, foreseen = dict(self._known), []
        stacks = self._stacks()
        with aws_errors(f"stacks in {self._place.lineage}"):
            for step in self.steps:
                foreseen.append(Foreseen(step, stacks.difference(step.wanted(known))))
                known |= {**(stacks.outputs(step.stack.stack_name) or {}), **self._overrides}
        return tuple(foreseen)

    def run(
        self,
        on_start: Callable[[Step], None] = lambda _: None,
        on_end: Callable[[Step, bool], None] = lambda _, __: None,
    ) -> Deployed:
        """Put all of it; OrgctlError at the first stack that fails: those before it stay."""
        assert self._code is not None, "prepare comes first"
        home, known, done = self._place.home, dict(self._known), []
        s3, stacks = self._there.client("s3", home), self._stacks()
        with aws_errors(f"s3 bucket {self._code.bucket}"):
            upload(s3, self._code, home)
        outputs: dict[str, str] = {}
        for step in self.steps:
            on_start(step)
            if step.stack.name == "lineage-compliance":
                turn_on_security_hub(self._there.client("securityhub", home))
            with aws_errors(f"stack {step.stack.stack_name} in {step.account} {step.region}"):
                changed, told = stacks.put(step.wanted(known), self._template(s3, step))
            on_end(step, changed)
            done.append(Put(step.stack.stack_name, step.region, changed))
            outputs |= told
            known |= {**told, **self._overrides}
        return Deployed(outputs, tuple(done))

    def _stacks(self) -> Stacks:
        return Stacks(self._there.client("cloudformation", self._place.home), self._sleep)

    def _template(self, s3: Any, step: Step) -> Mapping[str, str]:  # noqa: ANN401 - boto3 makes its clients up
        if len(step.body.encode()) <= INLINE_BYTES:
            return {"TemplateBody": step.body}
        assert self._code is not None
        return {"TemplateURL": upload_template(s3, self._code.bucket, step.region, step.body)}


def put_everywhere(connection: Connection, place: Place, sleep: Callable[[float], None]) -> tuple[Put, ...]:
    """Give the management account what StackSets give all others but it."""
    done = []
    for each in place.everywhere:
        name = STACK_PREFIX + each.template
        for region in each.regions:
            stacks = Stacks(connection.client("cloudformation", region), sleep)
            with aws_errors(f"stack {name} in {place.management} {region}"):
                changed, _ = stacks.put(Wanted(name, each.body, each.parameters), {"TemplateBody": each.body})
            done.append(Put(name, region, changed))
    return tuple(done)


def turn_on_security_hub(hub: Any) -> bool:  # noqa: ANN401 - boto3 makes its clients up
    """Turn Security Hub on where it is off, without AWS's own standards; answer whether it was off."""
    try:
        hub.describe_hub()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"InvalidAccessException", "ResourceNotFoundException"}:
            raise OrgctlError("securityhub", str(error), "see what orgctl may do in the lineage account") from error
        with aws_errors("securityhub:EnableSecurityHub"):
            hub.enable_security_hub(EnableDefaultStandards=False)
        return True
    return False
