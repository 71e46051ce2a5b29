"""What the sandbox takes as given: who manages it, and which quotas hold.

moto makes its backends itself, one per account, so that they cannot be handed anything: they read the settings here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from org.quotas import Quotas, load_quotas

DEFAULT_SEED = 42
DEFAULT_REGION = "us-east-1"


def sandbox_quotas(accounts: int = 5_000) -> Quotas:
    """Answer AWS's quotas with room for more accounts: a new organization gets 10, which no example fits into."""
    quotas = load_quotas()
    return replace(quotas, organization=replace(quotas.organization, accounts=accounts))


@dataclass(frozen=True, slots=True)
class Settings:
    seed: int = DEFAULT_SEED
    """All ids follow from it."""
    management_name: str = "Management"
    management_email: str = "management@example.com"
    quotas: Quotas = field(default_factory=sandbox_quotas)


_current = Settings()


def current_settings() -> Settings:
    return _current


def use_settings(settings: Settings) -> None:
    """Put settings in force for every request from now on, in the whole process."""
    global _current  # noqa: PLW0603 — see the module's docstring
    _current = settings
