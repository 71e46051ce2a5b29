"""Access logs: one line a request, in the stage's format, in the log group that the stage names.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from __future__ import annotations

import hashlib

from moto.logs.models import logs_backends

from org.sandbox.gateway.exchange import Exchange
from org.sandbox.gateway.refusals import render

_MOST_BYTES = 1_024
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""


def write_access_log(exchange: Exchange) -> None:
    """Write the line; a log group that is gone gets none, as the caller is answered all the same."""
    settings = exchange.deployed.stage.access_log_settings
    if not settings:
        return
    _, _, _, region, account, name = str(settings["destinationArn"]).split(":", 5)
    group = logs_backends[account][region].groups.get(name.removeprefix("log-group:").removesuffix(":*"))
    if group is None:
        return
    stage = f"{exchange.deployed.api.id}/{exchange.deployed.stage.name}"
    stream = hashlib.sha256(stage.encode()).hexdigest()[:32]
    if stream not in group.streams:
        group.create_log_stream(stream)
    line = render(str(settings["format"]), exchange.variables())
    line = line.encode()[:_MOST_BYTES].decode("utf-8", "ignore")
    group.put_log_events(stream, [{"timestamp": int(exchange.ended * 1000), "message": line}])
