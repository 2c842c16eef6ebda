"""The link of a letter: one page with one button, so that mail scanners do not use it up; then one alert for one doctor.

It needs no account and gives none: see, take over, acknowledge, of this alert alone. Must never say anything to whoever
only looks at the address.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response

from alerts import answers, links, reading
from alerts.answers import Said, Verb
from alerts.links import LASTS, Linked
from api import sessions
from api.audit import Entry
from api.bookkeeping import keep
from api.described import problems
from api.house import Here, IdempotencyKey, Row
from api.page_routes import FOLDER, file_of, sent
from api.problem import Problem

router = APIRouter()
COOKIE = "tierwatch-alert"
OVER = "this link was used, or is over: sign in to see the alert"
_PAGE = file_of(FOLDER / "link.html")


@router.get("/a", include_in_schema=False)
@router.get("/a/{token}", include_in_schema=False)
def page(request: Request, token: str = "") -> Response:
    """The page, the same for every address."""
    del token
    return sent(request, _PAGE)


@router.post("/a/{token}", include_in_schema=False, status_code=204)
def use(token: str, request: Request, house: Here) -> Response:
    """Use the link up, and begin a session of this one alert."""
    if not sessions.is_ours(request):
        raise Problem(403, "a link is opened from its own page")
    with house.transaction() as conn:
        begun = links.use(conn, token)
    if begun is None:
        raise Problem(410, OVER)
    response = Response(status_code=204)
    lasts, secure = int(LASTS.total_seconds()), request.url.scheme == "https"
    response.set_cookie(
        _name(request), begun[0], max_age=lasts, path="/", secure=secure, httponly=True, samesite="strict"
    )
    return response


def _linked(request: Request, house: Here) -> Linked:
    session = request.cookies.get(_name(request))
    with house.transaction() as conn:
        found = links.linked(conn, session) if session else None
        about = reading.about(conn, found.alert) if found else None
    if found is None:
        raise Problem(401, OVER)
    if request.method != "GET" and not sessions.is_ours(request):
        raise Problem(403, "a command with a session must come from a page of ours")
    what = f"{request.method} {request.scope['route'].path.removeprefix('/api/v1')}"
    keep(house, Entry(who=found.person, role="link", what=what, subject=about["subject"] if about else None))
    return found


OfLink = Annotated[Linked, Depends(_linked)]
"""The alert that a link led to."""


@router.get("/api/v1/linked", tags=["alerts"], responses=problems(401, 404))
def linked_alert(house: Here, linked: OfLink) -> Row:
    """What the letter's notice says, word for word, and how the alert stands now."""
    with house.transaction() as conn:
        now = reading.one_alert(conn, linked.alert)
        told = reading.body_of(conn, linked.notice, house.seal)
    if now is None or told is None:
        raise Problem(404, "there is no such alert any more")
    told["data"].pop("strip", None)
    standing = ("state", "tier", "answered_by", "answered_at", "acknowledged_until", "raised_at", "onset")
    return {"person": linked.person, "told": told["data"], "now": {name: now[name] for name in standing}}


@router.get("/api/v1/linked/strip.svg", tags=["alerts"], responses=problems(401, 404))
def linked_strip(house: Here, linked: OfLink) -> Response:
    """The strip that the notice carries."""
    with house.transaction() as conn:
        told = reading.body_of(conn, linked.notice, house.seal)
    strip = told["data"].get("strip") if told else None
    if not isinstance(strip, str) or not strip.startswith("<svg"):
        raise Problem(404, "this notice carries no strip")
    return Response(strip, media_type="image/svg+xml")


@router.post("/api/v1/linked/{verb}", tags=["alerts"], responses=problems(401, 403, 404, 409))
def answer_linked(
    verb: Literal["accept", "acknowledge"], house: Here, linked: OfLink, idempotency_key: IdempotencyKey = None
) -> Row:
    """`accept`: "I have it". `acknowledge`: seen, the ladder waits. 409 names who was first."""
    key = f"link:{linked.notice}:{idempotency_key or uuid4()}"
    said = Said(verb=Verb(verb), by_whom=linked.person, key=key, role=linked.role)
    with house.transaction() as conn:
        now, changed = answers.answer(conn, linked.alert, said, house.now())
    return {"state": now.state, "answered_by": now.answered_by, "changed": changed}


def _name(request: Request) -> str:
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE
