"""A StackSet of the manifest as it is desired: its template's text, all parameters with their values, its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.fields import Value
from config.findings import suggest
from config.load import LoadedManifest
from config.manifest import Manifest, OverrideSpec, StackSetSpec, Steps
from config.variables import as_text
from org.model import (
    ROOT,
    AccountName,
    DesiredStackSet,
    OperationPreferences,
    ParameterOverride,
    Region,
    StackSetSettings,
    UnitPath,
)
from stacksets.catalog import SpecialPlaces, TemplateEntry, template_body, templates
from stacksets.faults import Faults
from stacksets.template_file import load_template_file


@dataclass(frozen=True, slots=True)
class _Source:
    """A template, wherever it comes from."""

    name: str
    body: str
    parameters: Mapping[str, bool]
    """Each declared parameter, and whether it has a default."""
    filled_in: Mapping[str, str]
    left_to_user: Mapping[str, str]
    capabilities: tuple[str, ...]
    home_region_only: bool = False


def render_stackset(loaded: LoadedManifest, index: int, faults: Faults) -> DesiredStackSet | None:
    """Render StackSet number `index`; nothing where its template cannot be had, which is among the faults then."""
    spec = loaded.manifest.stacksets[index]
    at: Steps = ("stacksets", index)
    source = _source(loaded, spec, at, faults)
    if source is None:
        return None
    parameters = {**source.filled_in, **_values(loaded, spec.parameters, (*at, "parameters"), source, faults)}
    _check_required(loaded, at, source, parameters, faults)
    regions = _regions(loaded, spec, at, source, faults)
    overrides = tuple(
        _override(loaded, override, (*at, "overrides", number), source, faults)
        for number, override in enumerate(spec.overrides)
    )
    targets = spec.targets
    return DesiredStackSet(
        name=spec.name,
        settings=_settings(spec, source, parameters),
        units=(ROOT,) if targets.root else tuple(map(UnitPath, targets.units)),
        regions=regions,
        only_accounts=tuple(map(AccountName, targets.only_accounts)),
        except_accounts=tuple(map(AccountName, targets.except_accounts)),
        overrides=overrides,
        preferences=_preferences(spec),
        tags={key: value for key, value in spec.tags.items() if value is not None},
    )


def _settings(spec: StackSetSpec, source: _Source, parameters: Mapping[str, str]) -> StackSetSettings:
    filtered = bool(spec.targets.only_accounts or spec.targets.except_accounts)
    return StackSetSettings(
        template=source.body,
        description=spec.description,
        parameters=dict(sorted(parameters.items())),
        capabilities=source.capabilities,
        auto_deployment=not filtered if spec.auto_deployment is None else spec.auto_deployment,
        retain_on_removal=spec.retain_on_removal,
        depends_on=tuple(sorted(spec.depends_on)),
    )


def _source(loaded: LoadedManifest, spec: StackSetSpec, at: Steps, faults: Faults) -> _Source | None:
    if spec.file is not None:
        with faults.gathered():
            text = load_template_file(spec.file, loaded.folder, loaded.where(*at, "file"))
            return _Source(spec.file, text.body, text.parameters, {}, {}, spec.capabilities)
        return None
    catalog = templates()
    entry = catalog.get(spec.template or "")
    if entry is None:
        todo = suggest(spec.template or "", catalog, otherwise="the templates are " + ", ".join(catalog))
        faults.add(loaded.where(*at, "template"), f"unknown template {spec.template!r}", todo)
        return None
    return _from_catalog(entry, loaded.manifest)


def _from_catalog(entry: TemplateEntry, manifest: Manifest) -> _Source:
    organization = manifest.organization
    places = SpecialPlaces(organization.home_region, organization.audit_account, organization.lineage_account)
    template = entry.render()
    return _Source(
        name=entry.name,
        body=template_body(template),
        parameters={name: "Default" in declared for name, declared in template.to_dict()["Parameters"].items()},
        filled_in=entry.filled_in(places),
        left_to_user=entry.left_to_user,
        capabilities=entry.capabilities,
        home_region_only=entry.home_region_only,
    )


def _values(
    loaded: LoadedManifest, given: Mapping[str, Value], at: Steps, source: _Source, faults: Faults
) -> Mapping[str, str]:
    """Answer the values as CloudFormation takes them; parameters that the template does not declare are faults."""
    values = {}
    for name, value in given.items():
        where = loaded.where(*at, name)
        if name not in source.parameters:
            listed = "its parameters are " + ", ".join(source.parameters) if source.parameters else "it has none"
            todo = suggest(name, source.parameters, otherwise=listed)
            faults.add(where, f"template {source.name!r} has no parameter {name!r}", todo)
            continue
        values[name] = as_text(value)
    return values


def _check_required(
    loaded: LoadedManifest, at: Steps, source: _Source, parameters: Mapping[str, str], faults: Faults
) -> None:
    for name, has_default in source.parameters.items():
        if not has_default and name not in parameters:
            todo = source.left_to_user.get(name, f"write {name}: under parameters")
            faults.add(loaded.where(*at), f"parameter {name!r} of template {source.name!r} has no value", todo)


def _override(
    loaded: LoadedManifest, spec: OverrideSpec, at: Steps, source: _Source, faults: Faults
) -> ParameterOverride:
    return ParameterOverride(
        parameters=dict(sorted(_values(loaded, spec.parameters, (*at, "parameters"), source, faults).items())),
        units=tuple(map(UnitPath, spec.units)),
        accounts=tuple(map(AccountName, spec.accounts)),
        regions=tuple(map(Region, spec.regions)),
    )


def _regions(
    loaded: LoadedManifest, spec: StackSetSpec, at: Steps, source: _Source, faults: Faults
) -> tuple[Region, ...]:
    organization = loaded.manifest.organization
    if not source.home_region_only:
        return tuple(map(Region, spec.regions or organization.governed_regions))
    if set(spec.regions) - {organization.home_region}:
        what = f"template {source.name!r} exists once, in the home Region {organization.home_region}"
        faults.add(loaded.where(*at, "regions"), what, "remove regions:")
    return (Region(organization.home_region),)


def _preferences(spec: StackSetSpec) -> OperationPreferences:
    return OperationPreferences(
        failure_tolerance_percentage=spec.failure_tolerance_percentage,
        max_concurrent_percentage=spec.max_concurrent_percentage,
        soft_failure_tolerance=spec.concurrency_mode == "soft",
        regions_in_parallel=spec.region_order == "parallel",
    )
