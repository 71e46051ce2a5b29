"""Writes into moto's record of an API what its document says, for who asks the control plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from org.sandbox.gateway.document import Document, Method

if TYPE_CHECKING:
    from moto.apigateway.models import Resource, RestAPI


def record_document(api: RestAPI, document: Document) -> None:
    """Replace the API's resources, methods and models; resources that stay keep their ids."""
    for name in list(api.models):
        if name not in document.schemas:
            del api.models[name]
    for name, schema in document.schemas.items():
        if name in api.models:
            api.models[name].schema = json.dumps(schema)
        else:
            api.add_model(name, "", json.dumps(schema), "application/json")
    known = {each.get_path(): each for each in api.resources.values()}
    for each in known.values():
        each.resource_methods.clear()
    wanted = {"/"}
    for method in document.methods:
        resource = known["/"]
        path = ""
        for part in [each for each in method.resource.split("/") if each]:
            path = f"{path}/{part}"
            wanted.add(path)
            if path not in known:
                known[path] = api.add_child(part, resource.id)
            resource = known[path]
        _record_method(resource, method)
    for path, gone in known.items():
        if path not in wanted:
            del api.resources[gone.id]


def _record_method(resource: Resource, method: Method) -> None:
    resource.add_method(
        method.verb,
        method.authorization,
        method.needs_key,
        request_parameters=dict(method.parameters),
    )
    region = method.function.split(":")[3]
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{method.function}/invocations"
    resource.add_integration(method.verb, "AWS_PROXY", uri, integration_method="POST")
