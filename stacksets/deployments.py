"""A StackSet of the manifest as it is desired: its template's text, all parameters with their values, its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.fields import Value
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
from org.source.findings import Finding, suggest
from stacksets.catalog import SpecialPlaces, TemplateEntry, template_body, templates
from stacksets.parameters import DeclaredParameter
from stacksets.template_file import read_template


@dataclass(frozen=True, slots=True)
class _Source:
    """A template, wherever it comes from."""

    name: str
    body: str
    parameters: Mapping[str, DeclaredParameter]
    filled_in: Mapping[str, str]
    left_to_user: Mapping[str, str]
    capabilities: tuple[str, ...]
    home_region_only: bool = False


def render_stackset(loaded: LoadedManifest, index: int, findings: list[Finding]) -> DesiredStackSet | None:
    """Render StackSet number `index`; nothing where its template cannot be had, which is among the findings then."""
    return _Renderer(loaded, index, findings).render()


class _Renderer:
    """One StackSet of the manifest, and where to put what is wrong with it."""

    def __init__(self, loaded: LoadedManifest, index: int, findings: list[Finding]) -> None:
        self._loaded = loaded
        self._spec = loaded.manifest.stacksets[index]
        self._index = index
        self._findings = findings

    def render(self) -> DesiredStackSet | None:
        spec, source = self._spec, self._source()
        if source is None:
            return None
        parameters = {**source.filled_in, **self._values(spec.parameters, ("parameters",), source)}
        self._check_required(source, parameters)
        targets = spec.targets
        return DesiredStackSet(
            name=spec.name,
            settings=_settings(spec, source, parameters),
            units=(ROOT,) if targets.root else tuple(map(UnitPath, targets.units)),
            regions=self._regions(source),
            only_accounts=tuple(map(AccountName, targets.only_accounts)),
            except_accounts=tuple(map(AccountName, targets.except_accounts)),
            overrides=tuple(self._override(number, override, source) for number, override in enumerate(spec.overrides)),
            preferences=_preferences(spec),
            tags={key: value for key, value in spec.tags.items() if value is not None},
        )

    def _refuse(self, steps: Steps, what: str, todo: str) -> None:
        self._findings.append(Finding(self._loaded.place("stacksets", self._index, *steps), what, todo))

    def _source(self) -> _Source | None:
        spec = self._spec
        if spec.file is not None:
            file = self._loaded.shown(spec.file)
            text = read_template(self._loaded.template_texts[self._index], file, self._findings)
            return _Source(spec.file, text.body, text.parameters, {}, {}, spec.capabilities) if text else None
        catalog = templates()
        entry = catalog.get(spec.template or "")
        if entry is None:
            todo = suggest(spec.template or "", catalog, otherwise="the templates are " + ", ".join(catalog))
            self._refuse(("template",), f"unknown template {spec.template!r}", todo)
            return None
        return _from_catalog(entry, self._loaded.manifest)

    def _values(self, given: Mapping[str, Value], at: Steps, source: _Source) -> Mapping[str, str]:
        """Answer the values as CloudFormation takes them, and refuse what the template does not take."""
        values = {}
        for name, value in given.items():
            declared = source.parameters.get(name)
            if declared is None:
                listed = "its parameters are " + ", ".join(source.parameters) if source.parameters else "it has none"
                todo = suggest(name, source.parameters, otherwise=listed)
                self._refuse((*at, name), f"template {source.name!r} has no parameter {name!r}", todo)
                continue
            values[name] = as_text(value)
            if (fault := declared.find_fault(values[name])) is not None:
                self._refuse((*at, name), f"parameter {name!r} of template {source.name!r} {fault[0]}", fault[1])
        return values

    def _check_required(self, source: _Source, parameters: Mapping[str, str]) -> None:
        for name, declared in source.parameters.items():
            if not declared.has_default and name not in parameters:
                todo = source.left_to_user.get(name, f"write {name}: under parameters")
                self._refuse((), f"parameter {name!r} of template {source.name!r} has no value", todo)

    def _override(self, number: int, spec: OverrideSpec, source: _Source) -> ParameterOverride:
        values = self._values(spec.parameters, ("overrides", number, "parameters"), source)
        return ParameterOverride(
            parameters=dict(sorted(values.items())),
            units=tuple(map(UnitPath, spec.units)),
            accounts=tuple(map(AccountName, spec.accounts)),
            regions=tuple(map(Region, spec.regions)),
        )

    def _regions(self, source: _Source) -> tuple[Region, ...]:
        organization = self._loaded.manifest.organization
        if not source.home_region_only:
            return tuple(map(Region, self._spec.regions or organization.governed_regions))
        if set(self._spec.regions) - {organization.home_region}:
            what = f"template {source.name!r} exists once, in the home Region {organization.home_region}"
            self._refuse(("regions",), what, "remove regions:")
        return (Region(organization.home_region),)


def _from_catalog(entry: TemplateEntry, manifest: Manifest) -> _Source:
    organization = manifest.organization
    places = SpecialPlaces(
        organization.home_region,
        organization.audit_account,
        organization.lineage_account,
        organization.log_archive_account,
    )
    template = entry.render()
    declared = template.to_dict()["Parameters"]
    return _Source(
        name=entry.name,
        body=template_body(template),
        parameters={name: DeclaredParameter.of(parameter) for name, parameter in declared.items()},
        filled_in=entry.filled_in(places),
        left_to_user=entry.left_to_user,
        capabilities=entry.capabilities,
        home_region_only=entry.home_region_only,
    )


def _settings(spec: StackSetSpec, source: _Source, parameters: Mapping[str, str]) -> StackSetSettings:
    return StackSetSettings(
        template=source.body,
        description=spec.description,
        parameters=dict(sorted(parameters.items())),
        capabilities=source.capabilities,
        auto_deployment=spec.deploys_automatically,
        retain_on_removal=spec.retain_on_removal,
        depends_on=tuple(sorted(spec.depends_on)),
    )


def _preferences(spec: StackSetSpec) -> OperationPreferences:
    return OperationPreferences(
        failure_tolerance_percentage=spec.failure_tolerance_percentage,
        max_concurrent_percentage=spec.max_concurrent_percentage,
        soft_failure_tolerance=spec.concurrency_mode == "soft",
        regions_in_parallel=spec.region_order == "parallel",
    )
