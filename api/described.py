"""What `/api/v1/openapi.json` says beyond what FastAPI reads from the routes: problems by status, and examples.

A route names the statuses that are its own (`responses=problems(409)`); those that follow from its shape are added here.
Must never document what no request can bring about.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from api.examples import BODIES
from api.problem import MEDIA

if TYPE_CHECKING:
    from fastapi import FastAPI

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457: what was wrong, and what to do. Some carry more, as `errors` with the place of each.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_WHEN = {
    400: "The body cannot be read at all.",
    401: "Nobody is signed in, and there is no bearer token.",
    403: "It is not for this role, or this patient is not theirs.",
    404: "There is no such thing.",
    409: "It is no longer, or not yet, as this needs it.",
    410: "It was used, or is over.",
    412: "Somebody changed it since it was read.",
    413: "It is larger than is taken.",
    415: "It is of no kind that is taken.",
    422: "Something in the request cannot be.",
    429: "Too often: wait.",
    503: "The database is not there just now.",
}
EXAMPLES: dict[str, Any] = {
    "patient": "ada",
    "alert": "3f2b9c1e-7a54-5d0e-9a71-5e6f0f1c2d3b",
    "notice": "0b5b1a52-8b1e-5a7c-8f6e-2f3c1d4e5a6b",
    "pause": "5d1f4a3c-2b6e-4c7d-8e9f-0a1b2c3d4e5f",
    "entry": "7e57d004-2b97-4e7a-b45f-5387367791cd",
    "device": "h10-7f3c21",
    "login": "lin",
    "endpoint": "dispatch",
    "channel": "webhook",
    "address": "dispatch",
    "name": "practice",
    "limit": 50,
}
"""By the name of a parameter, as it means the same everywhere."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route answers with, beside those that follow from its shape: for its `responses`."""
    return {status: _described(status) for status in statuses}


def described(app: FastAPI) -> dict[str, Any]:
    """The whole description, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
        for name, example in BODIES.items():
            if name in schema["components"]["schemas"]:
                schema["components"]["schemas"][name]["examples"] = [example]
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                _complete(path, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    named = operation.get("parameters", [])
    asked = bool(named) or "requestBody" in operation
    added = {503} if path != "/livez" else set()
    added |= {401, 403} if operation.get("security") else set()
    added |= {404} if "{" in path else set()
    added |= {400, 422} if "requestBody" in operation else {422} if asked else set()
    for status in sorted(added):
        answers.setdefault(str(status), _described(status))
    for one in named:
        if one["name"] in EXAMPLES:
            one.setdefault("example", EXAMPLES[one["name"]])


def _described(status: int) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase}. {_WHEN[status]}",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
