"""The OpenAPI 3.0.3 document of the API: `python -m handlers.lineage.api.document` prints it.

Powertools writes 3.1, which API Gateway does not import
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html): what the two say
differently is said in 3.0's way here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from handlers.lineage.api.app import app
from handlers.lineage.api.documented import BY_GATEWAY, SAYS

VERSION = "1"
_ABOUT = (
    "Where machine images came from, what was made of them, and what runs on them. Every request is signed (SigV4, "
    "execute-api). Every answer says whether it is complete, and why if it is not."
)


def document() -> dict[str, Any]:
    """Answer the document; the same for the same code."""
    said = json.loads(app().get_openapi_json_schema(title="orgctl lineage", version=VERSION, description=_ABOUT))
    paths, schemas = _older(said["paths"]), _older(said["components"]["schemas"])
    for path in paths.values():
        for operation in path.values():
            # Powertools' own, which this API does not answer.
            answered = operation["responses"]
            answered.pop("422", None)
            answered["500"] = answered["503"] | {"description": SAYS[500]}
            answered["503"] |= {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}}
            for status in BY_GATEWAY:
                answered[str(status)].pop("content")
            for parameter in operation.get("parameters", ()):
                parameter["schema"].pop("nullable", None)
                parameter["schema"].pop("description", None)
    for name in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(name, None)
    return {
        "openapi": "3.0.3",
        "info": said["info"],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4, for the service execute-api.",
                }
            },
        },
        "security": [{"sigv4": []}],
    }


def text() -> str:
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _older(said: Any) -> Any:  # noqa: ANN401 - any JSON
    """Answer the same in OpenAPI 3.0: `nullable` in place of a type null, an enum of one in place of const.

    Titles, which pydantic makes of names, say nothing.
    """
    if isinstance(said, list):
        return [_older(each) for each in said]
    if isinstance(said, float) and said.is_integer():
        return int(said)
    if not isinstance(said, dict):
        return said
    older = {name: _older(value) for name, value in said.items() if name != "title" or not isinstance(value, str)}
    if "const" in older:
        older["enum"] = [older.pop("const")]
    some = older.get("anyOf")
    if isinstance(some, list) and {"type": "null"} in some:
        (left,) = [each for each in some if each != {"type": "null"}]
        del older["anyOf"]
        older |= {"allOf": [left]} if "$ref" in left else left
        older["nullable"] = True
    return older


if __name__ == "__main__":
    sys.stdout.write(text())
