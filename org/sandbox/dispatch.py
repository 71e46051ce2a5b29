"""Finds the part of moto that emulates the service which a request is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.backends import get_backend, list_of_moto_modules
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Dispatcher(DomainDispatcherApplication):
    """moto's, which breaks on a service that it does not know: this one says so."""

    def __init__(self) -> None:
        super().__init__(_make_app)
        self._services = {"moto_api", *list_of_moto_modules()}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host is None or host in self._services:
            return host
        for service, pattern in self.backend_url_patterns:
            if pattern.match(f"http://{host}"):
                return service
        raise NotImplementedError


def _make_app(service: Any) -> Any:
    """Make moto's application of a service, and leave no trace of the backend that moto reads the URLs from.

    It is the management account's, and would use up ids at the first request that the process gets for the service.
    """
    state, known = mock_random.getstate(), dict.get(get_backend(service), DEFAULT_ACCOUNT_ID)
    before = set(known) if known is not None else set()
    application = create_backend_app(service)
    made: Any = dict.get(get_backend(service), DEFAULT_ACCOUNT_ID)
    for region in set(made or ()) - before:
        dict.pop(made, region)
    mock_random.setstate(state)
    return application


def make_application() -> WSGIApplication:
    return _Dispatcher()
