"""What every test has: no AWS credentials, no profile and no state of the machine's user."""

import os

import pytest
from hypothesis import settings

# A verdict on a commit must not hang on chance: random examples are for those who can look at what they find.
# How long an example takes hangs on what else the machine does; speed is measured by `make bench`.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

_AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "ORGCTL_LINEAGE_API",
    "ORGCTL_LINEAGE_API_KEY",
    "ORGCTL_LINEAGE_ARCHIVE",
    "ORGCTL_LINEAGE_GRAPH",
    "ORGCTL_MANIFEST",
    "ORGCTL_SANDBOX",
    "ORGCTL_SANDBOX_VPC_ENDPOINT",
)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep a laptop's profile from leaking into a test, and a test from reaching AWS."""
    nowhere = tmp_path_factory.getbasetemp() / "no-such-file"
    for name in _AWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("ORGCTL_HOME", str(tmp_path_factory.mktemp("state")))
