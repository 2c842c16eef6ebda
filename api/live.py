"""The live socket: all open alerts on connecting, then every change, within a second of its commit.

A client that hears nothing for 5 s knows that it is cut: so nothing is sent while the database cannot be read. Must never
send what the viewer may not see, nor go on after their session has ended.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import psycopg
import structlog
from fastapi import APIRouter, WebSocket
from psycopg_pool import PoolClosed, PoolTimeout
from starlette.websockets import WebSocketDisconnect

from alerts import listeners
from api import board, sessions
from api.access import Asker, rights_of
from api.accounts import console_names_of
from api.problem import Problem
from api.rights import Right
from stream.store.connect import Waiter

if TYPE_CHECKING:
    from alerts.panels import Sight
    from api.accounts import Account
    from api.board import Board
    from api.house import House

    Viewer = tuple[Asker, Sight]

router = APIRouter()

ALIVE_S = 1.5
"""So often something is said at least."""
STALE_S = 4.0
"""What was read longer ago is not passed on as if it were now."""
RECHECK_S = 5.0
"""So often it is looked whether the session still holds."""
SEND_S = 5.0
"""A client that takes nothing for so long is let go; it comes back by itself."""
SIGNED_OUT = 4401
"""Close code: there is no session (any more)."""
TRY_AGAIN = 1013
"""Close code: the database cannot be read just now."""
_LOG: Any = structlog.get_logger(__name__)
WHAT = "GET /live"
_SHOWN_TO = frozenset({Right.SEE, Right.OWN, Right.KEEP})
_GONE = (WebSocketDisconnect, RuntimeError, TimeoutError, psycopg.OperationalError, PoolTimeout)


@dataclass(slots=True)
class Hub:
    """Reads the board once for all sockets, woken by each change of an alert; it rests while nobody looks."""

    house: House
    dsn: str
    board: Board | None = None
    _waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _stopping: bool = False

    def enter(self, event: asyncio.Event) -> tuple[asyncio.AbstractEventLoop, asyncio.Event]:
        """From now on `event` is set at each look at the board."""
        one = (asyncio.get_running_loop(), event)
        with self._lock:
            self._waiting.add(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            self._lock.notify_all()
        return one

    def leave(self, one: tuple[asyncio.AbstractEventLoop, asyncio.Event]) -> None:
        """No more."""
        with self._lock:
            self._waiting.discard(one)

    def stop(self) -> None:
        """End the thread."""
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        names = board.Names()
        waiter = Waiter(self.dsn, "live", "alerts")
        while self._is_wanted():
            try:
                with self.house.transaction() as conn:
                    self.board = board.read(conn, names, self.house.seal, self.house.now())
            except (psycopg.Error, PoolTimeout) as error:
                _LOG.warning("board_unread", error=type(error).__name__)
                time.sleep(0.5)
                continue
            except Exception as error:  # noqa: BLE001 - the pages say that they are cut; the next look may succeed
                _LOG.error("board_failed", error=type(error).__name__)
                time.sleep(0.5)
                continue
            self._tell()
            waiter.wait(1.0)
        waiter.close()

    def _is_wanted(self) -> bool:
        with self._lock:
            while not self._waiting and not self._stopping:
                self._lock.wait()
            return not self._stopping

    def _tell(self) -> None:
        with self._lock:
            for loop, event in self._waiting:
                with suppress(RuntimeError):  # its loop has ended: the socket is gone
                    loop.call_soon_threadsafe(event.set)


@router.websocket("/api/v1/live")
async def live(socket: WebSocket) -> None:
    """The open alerts that the viewer may see, and every change of them."""
    if not sessions.is_ours(socket):
        await socket.close(4403)
        return
    await socket.accept()
    session = str(uuid4())
    try:
        viewer = await _viewer(socket, session)
        if viewer is not None:
            await asyncio.to_thread(viewer[0].note, viewer[0].patient)
    except (psycopg.Error, PoolTimeout, Problem):
        await socket.close(TRY_AGAIN)
        return
    if viewer is None:
        await socket.close(SIGNED_OUT)
        return
    hub: Hub = socket.app.state.hub
    event = asyncio.Event()
    place = hub.enter(event)
    heard = asyncio.create_task(_until_gone(socket))
    said = asyncio.create_task(_tell(socket, hub, event, viewer, session))
    try:
        await asyncio.wait((heard, said), return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(place)
        for task in (heard, said):
            task.cancel()
        for result in await asyncio.gather(heard, said, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, _GONE):
                _LOG.error("live_failed", error=type(result).__name__)
        await asyncio.shield(asyncio.to_thread(_leave, hub.house, viewer[0].account, session))


async def _tell(socket: WebSocket, hub: Hub, event: asyncio.Event, viewer: Viewer, session: str) -> None:
    asker, sight = viewer
    sent: dict[str, bytes] | None = None
    said_at = checked_at = time.monotonic()
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), ALIVE_S)
        event.clear()
        now = time.monotonic()
        if now - checked_at > RECHECK_S:
            checked_at = now
            again = await _viewer(socket, session)
            if again is None:
                await socket.close(SIGNED_OUT)
                return
            asker, sight = again
        seen = hub.board
        if seen is None or now - seen.read_at > STALE_S:
            continue
        shown = {key: msgspec.json.encode(row) for key, row in board.part_of(seen, asker, sight).items()}
        if sent is None or shown != sent:
            await _send(socket, _news(seen, asker, shown, sent))
            sent, said_at = shown, now
        elif now - said_at >= ALIVE_S:
            await _send(socket, msgspec.json.encode({"type": "alive", "at": seen.at, "lag_s": seen.lag_s}))
            said_at = now


def _news(seen: Board, asker: Asker, shown: dict[str, bytes], sent: dict[str, bytes] | None) -> bytes:
    changed = [msgspec.Raw(row) for key, row in shown.items() if sent is None or sent.get(key) != row]
    news: dict[str, Any] = {"at": seen.at, "lag_s": seen.lag_s, "alerts": changed}
    if asker.patient is None:
        news["names"] = seen.names
    if sent is None:
        news["type"] = "all"
    else:
        news |= {"type": "change", "gone": [key for key in sent if key not in shown]}
    return msgspec.json.encode(news)


async def _send(socket: WebSocket, text: bytes) -> None:
    await asyncio.wait_for(socket.send_text(text.decode()), SEND_S)


async def _until_gone(socket: WebSocket) -> None:
    """Nothing is expected from the client; reading shows when it has left."""
    while True:
        await socket.receive_text()


def _leave(house: House, account: Account | None, session: str) -> None:
    with suppress(psycopg.Error, PoolTimeout, PoolClosed), house.transaction() as conn:  # it runs out by itself
        for name in console_names_of(account) if account else ():
            listeners.leave(conn, name, session)


async def _viewer(socket: WebSocket, session: str) -> Viewer | None:
    """Whose socket it is and what they may see now; whoever has a console is written down as somebody who listens.

    None: nobody's, or of somebody to whom no alerts are shown.
    """
    token, house = sessions.token_of(socket), socket.app.state.house

    def look() -> Viewer | None:
        if token is None:
            return None
        with house.transaction() as conn:
            account = sessions.whose(conn, token, house.seal)
            if account is None or _SHOWN_TO.isdisjoint(rights_of(account.person, account)):
                return None
            for name in console_names_of(account):
                listeners.refresh(conn, name, session, house.now())
            asker = Asker(
                name=account.person, account=account, by=rights_of(account.person, account), what=WHAT, house=house
            )
            return asker, asker.sight(conn)

    return await asyncio.to_thread(look)
