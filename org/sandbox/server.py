"""The sandbox as a server on loopback, and within this process."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

from org.errors import OrgctlError
from org.sandbox.failures import answer_failures, answer_failures_in_process
from org.sandbox.install import install
from org.sandbox.process import APIS, CONTROL, HOST, STAGING
from org.sandbox.session import isolated_session, session_for
from org.sandbox.settings import DEFAULT_REGION, Settings, current_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.serving import BaseWSGIServer

_request_lock = threading.RLock()
"""moto's backends are plain dictionaries: one request at a time, in the server as in process."""

Middleware = Callable[["WSGIApplication"], "WSGIApplication"]


def one_at_a_time(application: WSGIApplication) -> WSGIApplication:
    """Run each request to the end of its answer before the next one begins."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with _request_lock:
            answer = application(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()

    return serve


def authorize(application: WSGIApplication) -> WSGIApplication:
    """Let no request through that the policies of the organization and of the account do not allow."""
    from org.sandbox.authorization.gate import authorize_requests

    return authorize_requests(application)


def record(application: WSGIApplication) -> WSGIApplication:
    """Put on the caller's event bus what CloudTrail and the services say of a call."""
    from org.sandbox.trail.recorder import record_calls

    return record_calls(application)


MIDDLEWARES: tuple[Middleware, ...] = (one_at_a_time, answer_failures, record, authorize)
"""What each request goes through, outermost first: the place for throttles and faults."""


class Sandbox:
    """An emulated AWS that listens on loopback, in a thread of its own once it is started.

    moto keeps its state in the process: a second one in the same process begins by emptying the first.
    `now` is the clock of the APIs' front and of functions, in seconds since 1970.
    Raises OrgctlError where the port is taken, or moto is not what `install` needs.
    """

    def __init__(
        self,
        port: int = 0,
        settings: Settings | None = None,
        token: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        install(settings)
        self._now = now
        self._token = token
        self._thread: threading.Thread | None = None
        self._server = self._open(port)
        self.port = self._server.port
        reset()

    def _open(self, port: int) -> BaseWSGIServer:
        from moto.moto_server.werkzeug_app import MotoRequestHandler
        from werkzeug.serving import make_server

        from org.sandbox.dispatch import make_application
        from org.sandbox.functions.api import invoke_outside
        from org.sandbox.functions.runtime import Functions, run_in_the_wake
        from org.sandbox.gateway.front import Front

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        application = make_application()
        for middleware in reversed(MIDDLEWARES):
            application = middleware(application)
        listener = _listen(port)
        opened: int = listener.getsockname()[1]
        self.functions = Functions(f"http://{HOST}:{opened}", lambda: _request_lock, self._now)
        self._front = Front(APIS, self.functions, lambda: _request_lock, self._now)
        self._apis = run_in_the_wake(self.functions, self._front.serve)
        application = invoke_outside(self.functions, application)
        served = self._with_control(run_in_the_wake(self.functions, application))
        handler, descriptor = MotoRequestHandler, listener.detach()
        return make_server(HOST, opened, served, threaded=True, request_handler=handler, fd=descriptor)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def serve(self) -> None:
        """Answer requests until `stop` is called from another thread, or the process ends."""
        self._server.serve_forever()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve, name="orgctl-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.functions.end()

    def session(self, region: str = DEFAULT_REGION) -> boto3.Session:
        return session_for(self.endpoint, region)

    def _with_control(self, application: WSGIApplication) -> WSGIApplication:
        # Outside the lock, so that a sandbox which is busy still says that it is there.
        def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            request = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
            if request == ("GET", f"{CONTROL}/status"):
                return self._answer_control(start_response)
            if request == ("POST", f"{CONTROL}/reset"):
                self.functions.end()
                with _request_lock:
                    reset()
                    self._front.forget()
                return self._answer_control(start_response)
            if request[1] in STAGING:
                return self._answer_staging(environ, start_response)
            if request[1].startswith(APIS):
                return self._apis(environ, start_response)
            return application(environ, start_response)

        return serve

    def _answer_staging(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        from org.sandbox.trail.control import answer

        with _request_lock:
            status, text = answer(environ)
        # A function's own requests must find the lock free.
        self.functions.settle()
        start_response(status, [("Content-Type", "application/json")])
        return [text]

    def _answer_control(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"pid": os.getpid(), "token": self._token, "seed": current_settings().seed}).encode()]


def reset() -> None:
    """Forget every account and resource, and begin again with the same ids."""
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data
    from moto.ec2.models import ec2_backends
    from moto.moto_api._internal import mock_random

    from org.sandbox import topics
    from org.sandbox.authorization import ledger
    from org.sandbox.functions import invocations
    from org.sandbox.trail.events import forget

    BackendDict.reset()
    ec2_backends.clear()  # resetting Auto Scaling has made EC2 anew, before the ids begin again
    reset_model_data()
    forget()
    topics.forget()
    ledger.forget()
    invocations.forget()
    mock_random.seed(current_settings().seed)


@contextmanager
def in_process_sandbox(region: str = DEFAULT_REGION, settings: Settings | None = None) -> Iterator[boto3.Session]:
    """Give a session on a new, empty sandbox within this process, without HTTP: for tests that need many.

    While it lasts, no client that this process makes reaches AWS, whatever session it comes from.
    """
    install(settings)
    import moto
    from moto.core.models import botocore_stubber
    from moto.moto_api._internal import mock_random

    from org.sandbox.authorization.gate import authorize_in_process
    from org.sandbox.trail.recorder import record_calls_in_process

    process_request = botocore_stubber.process_request
    process = answer_failures_in_process(record_calls_in_process(authorize_in_process(process_request)))

    def process_alone(request: Any) -> Any:
        with _request_lock:
            return process(request)

    reset()
    with moto.mock_aws():
        mock_random.seed(current_settings().seed)
        botocore_stubber.process_request = process_alone  # type: ignore[method-assign]
        try:
            yield isolated_session(region)
        finally:
            botocore_stubber.process_request = process_request  # type: ignore[method-assign]


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OverflowError as error:
        listener.close()
        raise OrgctlError("sandbox", f"there is no port {port}", "give one from 1 to 65535") from error
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            todo = "give another one with --port, or none to have a free one chosen"
            raise OrgctlError("sandbox", f"port {port} is taken by another program", todo) from error
        raise OrgctlError("sandbox", f"cannot listen on port {port}: {error.strerror}") from error
    return listener
