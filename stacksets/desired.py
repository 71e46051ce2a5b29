"""The step from a loaded manifest to what is desired: every name resolved, every template and policy rendered; pure."""

from __future__ import annotations

from config.load import LoadedManifest
from config.manifest import AccountSpec, Attach, ContactSpec, Manifest, walk_units
from config.manifest import ProtectedPrincipal as ProtectedPrincipalSpec
from org.model import (
    ROOT,
    AccountId,
    AccountName,
    Contact,
    ContactType,
    DelegatedAdministrator,
    DesiredAccount,
    DesiredOrganization,
    DesiredPolicy,
    DesiredUnit,
    PolicyType,
    ProtectedPrincipal,
    Region,
    RequiredCall,
    Target,
    TargetKind,
    UnitPath,
)
from org.source.findings import Finding, SourceErrors
from stacksets.deployments import render_stackset
from stacksets.policy_content import render_guardrail

_ALTERNATE_CONTACTS = "account.amazonaws.com"
"""Without trusted access for it the management account may not write the contacts of its members.

https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html
"""
_STACKSETS_DELEGATION = "member.org.stacksets.cloudformation.amazonaws.com"
"""Its trusted access is activated through CloudFormation, which the plan does."""


def render_desired(loaded: LoadedManifest) -> DesiredOrganization:
    """Render what the manifest asks for.

    Raises:
        SourceErrors: A guardrail, catalog template, parameter or template file is not what the manifest takes it
            for; all such findings, each with its place.

    """
    manifest = loaded.manifest
    findings: list[Finding] = []
    policies = tuple(_policy(loaded, index, findings) for index in range(len(manifest.policies)))
    stacksets = [render_stackset(loaded, index, findings) for index in range(len(manifest.stacksets))]
    if findings:
        raise SourceErrors(loaded.place().file, findings)
    settings = manifest.organization
    return DesiredOrganization(
        home_region=Region(settings.home_region),
        management_account=AccountName(settings.management_account),
        units=tuple(
            DesiredUnit(path, dict(unit.tags), UnitPath(unit.formerly) if unit.formerly else None)
            for path, unit, _ in walk_units(manifest)
        ),
        accounts=tuple(map(_account, manifest.accounts)),
        policies=policies,
        trusted_access=_trusted_access(manifest),
        delegated_administrators=tuple(
            DelegatedAdministrator(administrator.service, AccountName(administrator.account))
            for administrator in manifest.delegated_administrators
        ),
        stacksets=tuple(stackset for stackset in stacksets if stackset is not None),
        quarantine_unit=UnitPath(settings.quarantine_unit) if settings.quarantine_unit else None,
        protected_principals=tuple(map(_protected, manifest.protected_principals)),
        governed_regions=tuple(map(Region, settings.governed_regions)),
    )


def _protected(spec: ProtectedPrincipalSpec) -> ProtectedPrincipal:
    calls = tuple(RequiredCall(call.call, call.on or "", dict(call.given)) for call in spec.calls)
    return ProtectedPrincipal(spec.name, spec.arn, calls)


def _account(spec: AccountSpec) -> DesiredAccount:
    return DesiredAccount(
        name=AccountName(spec.name),
        email=spec.email,
        unit=UnitPath(spec.unit),
        state=spec.state,
        id=AccountId(spec.id) if spec.id else None,
        tags=dict(spec.tags),
        contacts={ContactType(kind.upper()): _contact(contact) for kind, contact in spec.alternate_contacts.items()},
    )


def _contact(spec: ContactSpec | None) -> Contact | None:
    return Contact(spec.name, spec.title, spec.email, spec.phone) if spec is not None else None


def _policy(loaded: LoadedManifest, index: int, findings: list[Finding]) -> DesiredPolicy:
    spec = loaded.manifest.policies[index]
    content = ""
    if spec.guardrail is not None:
        content = render_guardrail(loaded, index, findings)
    elif not spec.aws_managed:
        content = loaded.policy_texts[index]
    return DesiredPolicy(
        type=PolicyType(spec.type),
        name=spec.name,
        content=content,
        description=spec.description,
        targets=_targets(spec.attach),
        tags=dict(spec.tags),
        aws_managed=bool(spec.aws_managed),
    )


def _targets(attach: Attach) -> tuple[Target, ...]:
    """Answer the targets in an order that does not depend on how the manifest lists them."""
    root = [Target(TargetKind.ROOT, ROOT)] if attach.root or ROOT in attach.units else []
    units = [Target(TargetKind.UNIT, unit) for unit in sorted(set(attach.units) - {ROOT})]
    return (*root, *units, *(Target(TargetKind.ACCOUNT, account) for account in sorted(set(attach.accounts))))


def _trusted_access(manifest: Manifest) -> tuple[str, ...]:
    """Answer what the manifest names and what its own contents cannot do without.

    A service must have trusted access before an account can administer it:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
    """
    needed = {administrator.service for administrator in manifest.delegated_administrators} - {_STACKSETS_DELEGATION}
    if any(account.alternate_contacts for account in manifest.accounts):
        needed.add(_ALTERNATE_CONTACTS)
    return tuple(sorted({*manifest.trusted_access, *needed}))
