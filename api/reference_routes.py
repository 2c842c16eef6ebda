"""The page that describes the API: Swagger UI over `/api/v1/openapi.json`, its files from a package of this installation.

Nothing of it comes from anywhere else. Must never carry a token of its own: whoever tries a call brings theirs.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from api.page_routes import FOLDER, HEADERS, File, file_of, sent
from api.problem import Problem

if TYPE_CHECKING:
    from fastapi import Response

router = APIRouter(include_in_schema=False)

_POLICY = {"content-security-policy": f"{HEADERS['content-security-policy']}; img-src 'self' data:"}
"""Its style sheet draws its arrows as data: addresses, which reach nobody."""
_PACKAGE = {"swagger-ui-bundle.js": ".js", "swagger-ui.css": ".css"}
_FILES: dict[str, File] = {}


@router.get("/api")
def reference(request: Request) -> Response:
    """The page."""
    return sent(request, file_of(FOLDER / "reference.html"), _POLICY)


@router.get("/api/{name}")
def part(name: str, request: Request) -> Response:
    """A file of the package, read once."""
    if name not in _PACKAGE:
        raise Problem(404, "there is no such file")
    if name not in _FILES:
        with resources.as_file(resources.files("fastapi_swagger.resources") / name) as path:
            _FILES[name] = file_of(path)
    return sent(request, _FILES[name])
