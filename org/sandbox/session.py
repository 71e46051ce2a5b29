"""Sessions that cannot reach AWS, whatever the user's profile, environment and proxy say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.config
import botocore.loaders
import botocore.session

from org.errors import OrgctlError
from org.sandbox.settings import DEFAULT_REGION


@dataclass(frozen=True, slots=True)
class Credentials:
    """Access keys; those of the default belong to nobody at AWS and to the management account in the sandbox."""

    access_key_id: str = "orgctl-sandbox"
    secret_access_key: str = "orgctl-sandbox"  # noqa: S105 — not a secret
    session_token: str | None = None


class SandboxSession(boto3.Session):
    """A session whose every client goes to one endpoint."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials) -> None:
        super().__init__(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            region_name=region,
            botocore_session=_isolated_session(),
        )
        self._endpoint = endpoint

    def client(self, *args: Any, **kwargs: Any) -> Any:
        # Without `proxies={}` botocore would send loopback requests to the proxy of the environment.
        config = botocore.config.Config(proxies={}).merge(kwargs.pop("config", None) or botocore.config.Config())
        return super().client(*args, **{**kwargs, "endpoint_url": self._endpoint, "config": config})


def session_for(endpoint: str, region: str = DEFAULT_REGION, credentials: Credentials | None = None) -> boto3.Session:
    """Make a session on a running sandbox; `credentials` are those that the sandbox's AssumeRole gave.

    Raises OrgctlError where the endpoint is not on loopback.
    """
    if not endpoint.startswith(("http://127.0.0.1:", "http://localhost:")):
        raise OrgctlError(f"sandbox {endpoint}", "is not on this machine", "orgctl sandbox start")
    return SandboxSession(endpoint, region, credentials or Credentials())


def isolated_session(region: str = DEFAULT_REGION, credentials: Credentials | None = None) -> boto3.Session:
    """Make a session with fake credentials that reads no configuration; for the sandbox within this process."""
    credentials = credentials or Credentials()
    return boto3.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        region_name=region,
        botocore_session=_isolated_session(),
    )


def sandbox_environment(
    endpoint: str, region: str = DEFAULT_REGION, environ: Mapping[str, str] | None = None
) -> Mapping[str, str | None]:
    """Answer the variables that turn any AWS SDK, and the aws CLI, to the sandbox; `None` is a variable to unset.

    `environ` is what is set now: every other AWS variable in it is to go, since an `AWS_ENDPOINT_URL_S3` or a profile
    would win over the endpoint given here. An empty `AWS_PROFILE` is no way out: SDKs look for a profile of that name.
    """
    environ = os.environ if environ is None else environ
    credentials = Credentials()
    unset = dict.fromkeys(["AWS_PROFILE", "AWS_SESSION_TOKEN", *(name for name in environ if name.startswith("AWS_"))])
    return {
        **unset,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **{name: _without_proxy(environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
    }


def _without_proxy(hosts: str) -> str:
    loopback = [host for host in ("127.0.0.1", "localhost") if host not in hosts.split(",")]
    return ",".join([*filter(None, hosts.split(",")), *loopback])


_ISOLATED = {
    "profile": None,
    "config_file": os.devnull,
    "credentials_file": os.devnull,
    "use_fips_endpoint": False,
    "use_dualstack_endpoint": False,
}


def _isolated_session() -> botocore.session.Session:
    session = botocore.session.Session()
    # In the store, since the session itself takes a None for "look in the environment".
    store = session.get_component("config_store")
    for name, value in _ISOLATED.items():
        store.set_config_variable(name, value)
    session.register_component("data_loader", _shared_loader())
    return session


@cache
def _shared_loader() -> botocore.loaders.Loader:
    # Reading botocore's models is most of what a session costs: tests make hundreds of sessions.
    return botocore.loaders.create_loader()
