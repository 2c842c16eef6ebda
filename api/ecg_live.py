"""The live ECG of one patient over a socket: every stored sample of a lead within a second of its being stored.

A viewer who takes too little is skipped forward and told so. Must never send a patient's signal to whoever may not see
it, go on after their session has ended, or say "live" of nothing.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import structlog
from fastapi import APIRouter, WebSocket
from psycopg_pool import PoolTimeout
from starlette.websockets import WebSocketDisconnect

from api import sessions
from api.access import Asker, caller_of, rights_over_one
from api.live import RECHECK_S, SEND_S, SIGNED_OUT, TRY_AGAIN
from api.problem import Problem
from api.rights import Right

if TYPE_CHECKING:
    from datetime import datetime

    from api.accounts import Account
    from api.ecg_rooms import Lead, Room, Rooms
    from api.house import House

router = APIRouter()

WHAT = "GET /patients/{patient}/ecg/live"
ALIVE_S = 1.0
"""So often something is said at least."""
PAST_S = 12.0
"""What a new viewer is shown at once."""
BEHIND_S = 4.0
"""Who is further behind than this is skipped forward."""
NOT_YOURS = 4403
"""Close code: this patient is not theirs to see."""
_LOG: Any = structlog.get_logger(__name__)
_GONE = (WebSocketDisconnect, RuntimeError, TimeoutError, psycopg.OperationalError, PoolTimeout)


@router.websocket("/api/v1/patients/{patient}/ecg/live")
async def ecg_live(socket: WebSocket, patient: str) -> None:
    """Samples as they are stored, once a second the rate and the state of the signal. `{"lead": id}` chooses a lead."""
    await socket.accept()
    try:
        refused = await asyncio.to_thread(_refusal, socket, patient)
    except (psycopg.Error, PoolTimeout):
        refused = TRY_AGAIN
    rooms: Rooms = socket.app.state.rooms
    event = asyncio.Event()
    room = None if refused else rooms.enter(patient, event)
    if room is None:
        await socket.close(refused or TRY_AGAIN)
        return
    view = View(room)
    heard = asyncio.create_task(_hear(socket, view, event))
    told = asyncio.create_task(_tell(socket, view, event))
    try:
        await asyncio.wait((heard, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        rooms.leave(room, event)
        for task in (heard, told):
            task.cancel()
        for result in await asyncio.gather(heard, told, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, _GONE):
                _LOG.error("ecg_live_failed", error=type(result).__name__)


class View:
    """What one viewer has been told of a room."""

    def __init__(self, room: Room) -> None:
        """Nothing yet."""
        self.room = room
        self.wanted = ""
        self._lead = ""
        self._choice: list[dict[str, Any]] | None = None
        self._number = 0
        self._until: datetime | None = None
        self._state_at = float("-inf")

    def news(self, now: float, at: Any) -> list[dict[str, Any]]:
        """What is to be said now (`time.monotonic`, and the house's clock); each thing once."""
        said: list[dict[str, Any]] = []
        leads = self.room.leads
        choice = self.room.choice()
        name = self.wanted if self.wanted in leads else self._lead if self._lead in leads else _most_sampled(leads)
        if choice != self._choice or name != self._lead:
            self._choice = choice
            said.append({"type": "leads", "leads": choice, "lead": name or None})
        if name != self._lead:
            self._lead, self._number = name, 0
        if name:
            said += self._samples(leads[name])
        if now - self._state_at >= ALIVE_S - 0.05:
            self._state_at = now
            said.append({"type": "state", "at": at, **self.room.state})
        return said

    def _samples(self, lead: Lead) -> list[dict[str, Any]]:
        is_past = not self._number
        parts = lead.after(self._number, PAST_S if is_past else BEHIND_S)
        if not parts:
            return []
        is_skipped = not is_past and parts[0].number != self._number + 1
        skipped_s = (parts[0].at - self._until).total_seconds() if is_skipped and self._until else 0.0
        self._number, self._until = parts[-1].number, lead.end_of(parts[-1])
        said = {"type": "samples", "rate_hz": lead.rate_hz, "is_past": is_past, "skipped_s": round(skipped_s, 2)}
        return [said | {"parts": [one.told() for one in parts]}]


def _most_sampled(leads: dict[str, Lead]) -> str:
    """Where there is no choice yet: the lead with the newest signal, by name among equals."""
    return max(sorted(leads), key=lambda name: leads[name].parts[-1].at, default="")


async def _tell(socket: WebSocket, view: View, event: asyncio.Event) -> None:
    checked_at = time.monotonic()
    while True:
        now = time.monotonic()
        if now - checked_at > RECHECK_S:
            checked_at = now
            if code := await asyncio.to_thread(_refusal, socket, view.room.patient, again=True):
                await socket.close(code)
                return
        for word in view.news(now, socket.app.state.house.now()) if view.room.is_read else ():
            text = msgspec.json.encode(word).decode()
            await asyncio.wait_for(socket.send_text(text), SEND_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), ALIVE_S)
        event.clear()


async def _hear(socket: WebSocket, view: View, event: asyncio.Event) -> None:
    """A viewer chooses a lead; anything else is passed over. Reading shows when they have left."""
    while True:
        with suppress(msgspec.DecodeError):
            said = msgspec.json.decode(await socket.receive_text())
            if isinstance(said, dict) and isinstance(said.get("lead"), str):
                view.wanted = said["lead"]
                event.set()


def _refusal(socket: WebSocket, patient: str, *, again: bool = False) -> int:
    """Why this socket may not show this patient, as a close code; 0: it may. `again`: it is open, and written down."""
    asker = _asker(socket)
    if asker is None:
        return SIGNED_OUT
    if not asker.by:
        return NOT_YOURS
    if again:
        return 0 if asker.covers(patient) else NOT_YOURS
    try:
        asker.check(patient)
    except Problem as refused:
        return NOT_YOURS if refused.status == HTTPStatus.FORBIDDEN else TRY_AGAIN
    return 0


def _asker(socket: WebSocket) -> Asker | None:
    house = socket.app.state.house
    scheme, _, given = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        machine = caller_of(house.keys, given)
        return None if machine is None else _as(machine, None, house)
    token = sessions.token_of(socket)
    if token is None or not sessions.is_ours(socket):
        return None
    with house.transaction() as conn:
        account = sessions.whose(conn, token, house.seal)
    return None if account is None else _as(account.person, account, house)


def _as(name: str, account: Account | None, house: House) -> Asker:
    by = rights_over_one(name, account) & {Right.SEE}
    return Asker(name=name, account=account, by=by, what=WHAT, house=house)
