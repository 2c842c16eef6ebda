"""The pages: sign-in, the clinicians' console, the patient's page, and the files that they are made of.

Every answer of the application carries the strict headers. Must never put a patient's name or id into an address or a title.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParam
from fastapi.responses import RedirectResponse
from starlette.datastructures import MutableHeaders

from api import sessions
from api.account_routes import HOME
from api.house import Here, House
from api.problem import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).with_name("pages")
SIGN_IN = "/sign-in"
NUMBER = b"{emergency_number}"
"""Stands in pages where the number is."""
BESIDE = {"/console": ("/patient", "/patients", "/worklist")}
"""Pages that go with somebody's own."""
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""On every answer. A page keeps to it by having no inline script or style and no address but ours."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of the pages, as it is sent."""

    body: bytes
    etag: str
    media: str


def files(folder: Path = FOLDER) -> dict[str, File]:
    """All of them by their path below the folder, read once: no path of a request ever touches the disk."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(folder).as_posix(): file_of(path) for path in found}


def file_of(path: Path) -> File:
    """A file as it is sent."""
    return _file(path.read_bytes(), TYPES[path.suffix])


def _file(body: bytes, media: str) -> File:
    return File(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"', media=media)


_FILES = files()


class StrictHeaders:
    """Puts the headers on every answer, problems too, except those that a route gave itself; what is not said to keep is not."""

    def __init__(self, app: ASGIApp) -> None:
        """Around an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | {"cache-control": "no-store"}).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


@router.get("/")
def front(request: Request, house: Here) -> Response:
    """Where whoever comes belongs."""
    return RedirectResponse(_home(request, house) or SIGN_IN, status_code=303)


@router.get("/sign-in")
def sign_in(request: Request, house: Here) -> Response:
    """Who are you."""
    home = _home(request, house)
    return RedirectResponse(home, status_code=303) if home else _sent(request, "sign-in.html")


@router.get("/console")
@router.get("/patient")
@router.get("/patients")
@router.get("/worklist")
@router.get("/me")
@router.get("/family")
@router.get("/dispatch")
def page(request: Request, house: Here) -> Response:
    """The page of whoever is signed in, or one that goes with it; another's page leads to their own."""
    home = _home(request, house)
    path = request.url.path
    if home is None or (path != home and path not in BESIDE.get(home, ())):
        return RedirectResponse(home or SIGN_IN, status_code=303)
    return _filled(request, f"{path[1:]}.html", house)


@router.get("/offline")
def offline(request: Request, house: Here) -> Response:
    """What a phone shows without a network: it says nothing of anybody."""
    return _filled(request, "offline.html", house)


@router.get("/sw.js")
def worker(request: Request) -> Response:
    """The script that keeps that page; it stands at the root, for it may only look after what lies below it."""
    return _sent(request, "js/sw.js")


@router.get("/patients/edit")
def form(request: Request, house: Here) -> Response:
    """The form of a record, for clinicians; whose it is stands behind the `#` and never comes here."""
    home = _home(request, house)
    return _sent(request, "edit.html") if home == "/console" else RedirectResponse(home or SIGN_IN, status_code=303)


@router.get("/pages/count/{count}.svg")
def tab_icon(count: Annotated[int, PathParam(ge=1, le=99)]) -> Response:
    """The tab's icon with how many alerts nobody has: a picture made by the page itself would be against the policy."""
    return Response(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#b3122b"/>'
        f'<text x="12" y="18" fill="#fff" font-family="sans-serif" font-size="17" font-weight="700" text-anchor="middle">'
        f"{count}</text></svg>",
        media_type=TYPES[".svg"],
    )


@router.get("/pages/{path:path}")
def part(path: str, request: Request) -> Response:
    """A file that a page is made of; it says nothing of anybody."""
    return _sent(request, path)


def _home(request: Request, house: House) -> str | None:
    token = sessions.token_of(request)
    if token is None:
        return None
    with house.transaction() as conn:
        account = sessions.whose(conn, token, house.seal)
    return HOME[account.kind] if account else None


def _sent(request: Request, path: str) -> Response:
    file = _FILES.get(path)
    if file is None:
        raise Problem(404, "there is no such file")
    return sent(request, file)


def _filled(request: Request, path: str, house: House) -> Response:
    """A page with the emergency number in it: what is called must not hang on an answer of the API."""
    page = _FILES[path]
    return sent(request, _file(page.body.replace(NUMBER, house.settings.emergency_number.encode()), page.media))


def sent(request: Request, file: File, more: dict[str, str] | None = None) -> Response:
    """The answer that carries a file; `more`: headers that only this one needs."""
    # Asked for again each time: after an upgrade nobody runs an old script on a new API.
    headers = {"etag": file.etag, "cache-control": "no-cache"} | (more or {})
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media, headers=headers)
