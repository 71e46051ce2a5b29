"""Finds the part of moto that emulates the service which a request is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.backends import list_of_moto_modules
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Dispatcher(DomainDispatcherApplication):
    """moto's, which breaks on a service that it does not know: this one says so."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._services = {"moto_api", *list_of_moto_modules()}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host is None or host in self._services:
            return host
        for service, pattern in self.backend_url_patterns:
            if pattern.match(f"http://{host}"):
                return service
        raise NotImplementedError


def make_application() -> WSGIApplication:
    return _Dispatcher()
