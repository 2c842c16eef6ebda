# ruff: noqa: FAST003 - the alert of a path is taken by `_viewer`
"""What a dispatcher sees and answers, by a one-time link or by an account: one emergency at a time.

Opening a link is a break-glass access: it stands in the alert's history. Must never give anything of the patient to a
browser that neither opened the link first nor is signed in as a dispatcher.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alerts import openings, reading, responses
from alerts.catalogue import for_clinic
from alerts.overview import what
from alerts.responses import Kind, Statement
from api import audit, links, packet, sessions
from api.access import READS, Asker, Bearer, may, rights_of, signed_in
from api.described import problems
from api.ecg_json import of_tracing
from api.house import Here, House, IdempotencyKey, Row
from api.links import Gone, Why
from api.packet_routes import FHIR, PDF, document, sheet
from api.problem import Problem
from api.rights import Right

if TYPE_CHECKING:
    from api.roster import Connection

router = APIRouter(prefix="/api/v1", tags=["dispatch"])
_SENTENCES = {
    Why.UNKNOWN: "this is open to whoever opened the link that the emergency brought, and to a dispatcher's account",
    Why.USED: "this link was opened by another browser",
    Why.OVER: "the time of this link is over",
}
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at an emergency."""

    alert: UUID
    told: Row
    """By which notice dispatch was told: `notice`, `person`, `endpoint`."""
    name: str = ""
    """Of an account; whoever holds a link is not known by name."""
    left: timedelta | None = None
    """How long the link holds still; None: an account."""


class FromDispatch(BaseModel):
    """What becomes of it."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    reason: Annotated[str, Field(max_length=500)] = ""
    eta: AwareDatetime | None = None


def _viewer(alert: UUID, request: Request, house: Here, given: Bearer) -> Viewer:
    browser = links.browser_of(request)
    with house.transaction() as conn:
        told = openings.dispatched(conn, alert)
        row = reading.about(conn, alert)
        gone: Gone | None = None
        viewer: Viewer | None = None
        if browser is not None and told is not None and row is not None:
            try:
                left = links.held(conn, browser, alert, is_open=row["state"] != "closed")
            except Gone as error:
                gone = error
            else:
                if request.method not in READS and not sessions.is_ours(request):
                    raise Problem(403, "an answer must come from a page of ours")
                viewer = Viewer(alert=alert, told=told, left=left)
    if viewer is not None:
        _note(house, viewer.told["person"], "link", request, row)
        return viewer
    if given is None and sessions.token_of(request) is None:
        why = gone.why if gone is not None else Why.UNKNOWN
        raise Problem(410, _SENTENCES[why], why=why, call=house.alerts.delivery.call_back)
    asker = signed_in(request, given)
    if Right.DISPATCH not in rights_of(asker.name, asker.account):
        raise Problem(403, "your account is not for this")
    if told is None:
        raise Problem(404, f"dispatch was not told of an alert {alert}")
    _note(house, asker.name, asker.account.kind if asker.account else "machine", request, row)
    return Viewer(alert=alert, told=told, name=asker.name)


def _note(house: House, who: str, role: str, request: Request, row: Row | None) -> None:
    """In the audit before anything is given; a page that asks how it stands each few seconds was noted when it was opened."""
    told = request.scope["route"].path.removeprefix("/api/v1")
    if not told.endswith("/state"):
        with house.transaction() as conn:
            subject = row["subject"] if row else None
            audit.write(conn, audit.Entry(who=who, role=role, what=f"{request.method} {told}", subject=subject))


Looking = Annotated[Viewer, Depends(_viewer)]


@router.get("/dispatch")
def list_emergencies(house: Here, asker: Annotated[Asker, may(Right.DISPATCH)]) -> Row:
    """The emergencies of which dispatch was told: open ones first, then the newest. Nothing of the patients."""
    del asker
    with house.transaction() as conn:
        found = openings.all_dispatched(conn, _MOST)
    return {"alerts": [row | {"what": what(row["condition"])} for row in found]}


@router.get("/dispatch/{alert}", responses=problems(410))
def emergency(house: Here, viewer: Looking) -> Row:
    """All that a dispatcher needs: what, where, who, what to know before treating, the strip, the last values."""
    with house.transaction() as conn:
        found = packet.of_alert(conn, viewer.alert, house.seal)
        assert found is not None
        assert found.case is not None
        state = _state(conn, house, viewer)
    case, tracing = found.case, found.tracing
    return state | {
        "what": case.what,
        "reason": case.reason,
        "steps": for_clinic(case.alert.condition).steps(),
        "condition": case.alert.condition,
        "evidence": case.episode.evidence if case.episode else {},
        "onset": case.alert.onset,
        "raised_at": case.alert.raised_at,
        "record": msgspec.to_builtins(found.record),
        "ecg": tracing and of_tracing(tracing),
    }


@router.get("/dispatch/{alert}/state", responses=problems(410))
def how_it_stands(house: Here, viewer: Looking) -> Row:
    """What has become of it: for a page that asks every few seconds."""
    with house.transaction() as conn:
        return _state(conn, house, viewer)


@router.post("/dispatch/{alert}/answer", responses=problems(409, 410))
def answer(house: Here, viewer: Looking, given: FromDispatch, idempotency_key: IdempotencyKey = None) -> Row:
    """Accepted, on the way, arrived, or rejected: the same as a signed callback says it."""
    said = Statement(
        endpoint=viewer.told["endpoint"],
        external_id=f"page:{idempotency_key or uuid4()}",
        kind=given.kind,
        alert=viewer.alert,
        notice=viewer.told["notice"],
        reason=given.reason,
        eta=given.eta,
        by=viewer.name,
        body=given.model_dump(mode="json", exclude_none=True),
    )
    with house.transaction() as conn:
        responses.take(conn, said, house.now())
        return _state(conn, house, viewer)


@router.get("/dispatch/{alert}/packet", response_class=Response, responses={**FHIR, **problems(410)})
def dispatch_packet(house: Here, viewer: Looking) -> Response:
    """The whole packet as FHIR document."""
    with house.transaction() as conn:
        found = packet.of_alert(conn, viewer.alert, house.seal)
    assert found is not None
    return document(found)


@router.get("/dispatch/{alert}/packet.pdf", response_class=Response, responses={**PDF, **problems(410)})
def dispatch_sheet(house: Here, viewer: Looking) -> Response:
    """The same on one A4 page."""
    with house.transaction() as conn:
        found = packet.of_alert(conn, viewer.alert, house.seal)
    assert found is not None
    return sheet(found, house)


@router.post("/alerts/{alert}/link", tags=["alerts"], status_code=201, responses=problems(409))
def new_link(alert: UUID, house: Here, asker: Annotated[Asker, may(Right.ANSWER)]) -> Row:
    """A new one-time link, for a dispatcher who called for one; 409 where dispatch was not told, or there is no address."""
    if not house.settings.public_url:
        raise Problem(409, "there is no link without an address: name [api] public_url in tierwatch.toml")
    with house.transaction() as conn:
        if openings.dispatched(conn, alert) is None:
            raise Problem(409, "dispatch was not told of this alert")
        url = links.new_link(conn, alert, asker.name, house.settings.public_url)
    return {"url": url, "unopened_s": links.UNOPENED.total_seconds(), "opened_s": links.OPENED.total_seconds()}


def opened(house: House, token: str, browser: str | None) -> tuple[UUID, str]:
    """Open a link: which alert it is of, and the browser's token.

    Raises:
        Gone: it does not open.
    """
    browser = browser or secrets.token_urlsafe(32)
    with house.transaction() as conn:
        found = links.open_link(conn, token, browser)
        told = openings.dispatched(conn, found.alert)
        if found.is_first:
            openings.opened(conn, found.alert, told["person"] if told else "dispatch", f"link:{uuid4()}", house.now())
        row = reading.about(conn, found.alert) or {}
        who = told["person"] if told else "dispatch"
        said = audit.Entry(
            who=who, role="link", what="GET /d/{token}", subject=row.get("subject"), reason="break-glass"
        )
        audit.write(conn, said)
    return found.alert, browser


def _state(conn: Connection, house: House, viewer: Viewer) -> Row:
    found: dict[str, Any] = reading.one_alert(conn, viewer.alert) or {}
    return {
        "alert": viewer.alert,
        "at": house.now(),
        "state": found["state"],
        "tier": found["tier"],
        "answered_by": found["answered_by"],
        "outcome": found["outcome"],
        "closed_at": found["closed_at"],
        "responses": [
            {"kind": one["kind"], "at": one["at"]}
            for one in found["responses"]
            if one["endpoint"] == viewer.told["endpoint"]
        ],
        "ends_in_s": None if viewer.left is None else viewer.left.total_seconds(),
        "call": house.alerts.delivery.call_back,
    }
