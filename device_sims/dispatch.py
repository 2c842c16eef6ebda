"""The dispatch centre: an HTTP server that takes signed emergencies as a real one would, and misbehaves on request.

It refuses what it cannot verify, shows each emergency once however often it comes, and answers by signed callbacks only.
What it received stands in a JSON-lines log, so that tests and the demo need not read its screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx2
import uvicorn
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook

from device_sims.dispatch_behaviour import Behaviour
from device_sims.packet import Verdict, in_words, lacks, link_of, verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

_LARGEST_BODY = 1_000_000
_ANSWER_TIMEOUT_S = 5.0
_NOT_OURS = "not our district / 不在本辖区"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One line of the log: one request."""

    webhook_id: str
    alert_id: str
    type: str
    verified: bool
    duplicate: bool
    """The same webhook id came before: shown once, answered again."""
    status: int
    """What we answered."""
    reason: str
    """Why it was refused; empty otherwise."""
    at: str
    """When it came, ISO 8601 UTC."""
    lacks: tuple[str, ...] = ()
    """What a dispatcher needs and did not find in it."""
    packet_url: str = ""
    """The one-time link to the whole record, where one came along."""


class DispatchCentre:
    """What has come in, and what is said to it; `app()` is its HTTP face."""

    def __init__(
        self,
        secret: str,
        *,
        log: Path | None = None,
        callback: str | None = None,
        behaviour: Behaviour = Behaviour.ACCEPT,
        show: Callable[[str], None] = print,
        slow_s: float = 30.0,
        travel_s: float = 20.0,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`secret` is the webhook's own, `whsec_` and base64: it verifies what comes and signs what is said back.

        `callback`: where statements are posted to; None: nothing is said. `now`: the clock of the world, for what is
        shown and expected; signatures go by the computer's. `travel_s`: how long the ambulance takes, real seconds.
        """
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.answered: list[tuple[str, str, int]] = []
        """(alert id, what was said of it, HTTP status of the reply; 0 = not reached)."""
        self.arrival = asyncio.Condition()
        """Notified at each request and each answer, so that a test need not sleep."""
        self._secret = secret
        self._log = log
        self._callback = callback
        self._show = show
        self._slow_s = slow_s
        self._travel_s = travel_s
        self._now = now or (lambda: datetime.now(UTC))
        self._coming: set[str] = set()
        self._closing = asyncio.Event()
        self._seen: set[str] = set(_verified_ids(log)) if log else set()
        self._answering: set[asyncio.Task[None]] = set()

    def app(self) -> FastAPI:
        """One route, `POST /emergencies`."""
        app = FastAPI(title="Dispatch centre (simulated)", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_api_route("/emergencies", self._take, methods=["POST"])
        return app

    async def wait_for(self, enough: Callable[[DispatchCentre], bool]) -> None:
        """Until `enough(self)` holds; put a timeout around it."""
        async with self.arrival:
            await self.arrival.wait_for(lambda: enough(self))

    async def settled(self) -> None:
        """Until every answer that is being given was given; who is still on the way does not arrive any more."""
        self._closing.set()
        await asyncio.gather(*self._answering)

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if self.behaviour is Behaviour.SLOW:
            await asyncio.sleep(self._slow_s)
        webhook_id = request.headers.get("webhook-id", "")
        verdict = _too_large(body) or verify(request.headers, body, self._secret)
        duplicate = verdict.verified and webhook_id in self._seen
        status = self._status(verdict)
        taken = verdict.verified and status == HTTPStatus.OK
        if taken:
            self._seen.add(webhook_id)
        await self._record(
            Received(
                webhook_id=webhook_id,
                alert_id=verdict.alert_id,
                type=verdict.type,
                verified=verdict.verified,
                duplicate=duplicate,
                status=status,
                reason=verdict.reason,
                at=datetime.now(UTC).isoformat(),
                lacks=lacks(verdict.payload) if verdict.verified else (),
                packet_url=link_of(verdict.payload) if verdict.verified else "",
            )
        )
        if not verdict.verified:
            self._show(f"refused with 401: {verdict.reason}")
        elif taken and not duplicate:
            self._show(in_words(verdict.payload) + "\n  signature verified / 签名已验证")
        if taken:
            self._answer(verdict, webhook_id)
        headers = {"location": "/elsewhere"} if status == HTTPStatus.TEMPORARY_REDIRECT else {}
        return Response(status_code=status, headers=headers)

    def _status(self, verdict: Verdict) -> int:
        match self.behaviour:
            case Behaviour.FAIL:
                return HTTPStatus.INTERNAL_SERVER_ERROR
            case Behaviour.REDIRECT:
                return HTTPStatus.TEMPORARY_REDIRECT
            case _:
                return HTTPStatus.OK if verdict.verified else HTTPStatus.UNAUTHORIZED

    async def _record(self, received: Received) -> None:
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(received), ensure_ascii=False) + "\n")
        async with self.arrival:
            self.received.append(received)
            self.arrival.notify_all()

    def _answer(self, verdict: Verdict, webhook_id: str) -> None:
        """Answer behind the 200, as people do; for each notice anew, which is harmless."""
        if self._callback is None or verdict.type != "alert.raised" or not verdict.alert_id:
            return
        match self.behaviour:
            case Behaviour.ACCEPT:
                answering = self._say(self._callback, verdict.alert_id, "accepted", webhook_id)
            case Behaviour.REJECT:
                answering = self._say(self._callback, verdict.alert_id, "rejected", webhook_id, reason=_NOT_OURS)
            case Behaviour.COME:
                answering = self._come(self._callback, verdict.alert_id, webhook_id)
            case _:
                return
        task = asyncio.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _come(self, url: str, alert_id: str, webhook_id: str) -> None:
        """Accept, drive off once, and arrive."""
        await self._say(url, alert_id, "accepted", webhook_id)
        if alert_id in self._coming:
            return
        self._coming.add(alert_id)
        eta = self._now() + timedelta(seconds=self._travel_s)
        await self._say(url, alert_id, "on_the_way", webhook_id, eta=eta.isoformat())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self._travel_s)
        if not self._closing.is_set():
            await self._say(url, alert_id, "arrived", webhook_id)

    async def _say(self, url: str, alert_id: str, kind: str, webhook_id: str, **more: str) -> None:
        data = {"alert_id": alert_id, "notice_id": webhook_id, "by": "desk 1 / 一号台", **more}
        body = json.dumps({"type": f"alert.{kind}", "timestamp": self._now().isoformat(), "data": data})
        said, status = f"{kind}-{webhook_id}", 0  # of a notice that comes again the same is said under the same id
        at = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": said,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(said, at, body),
        }
        try:
            async with httpx2.AsyncClient(timeout=_ANSWER_TIMEOUT_S, trust_env=False) as client:
                reply = await client.post(url, content=body.encode(), headers=headers)
                status = reply.status_code
        except httpx2.HTTPError as error:
            # Not repeated here: the next notice of the alert, which comes until somebody accepts, asks again.
            self._show(f"  {kind} of alert {alert_id} did not reach the API: {type(error).__name__}")
        else:
            self._show(f"  {kind.replace('_', ' ')}: alert {alert_id}; the API said {status}")
        async with self.arrival:
            self.answered.append((alert_id, kind, status))
            self.arrival.notify_all()


class _Server(uvicorn.Server):
    """uvicorn that leaves the process's signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(centre: DispatchCentre, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Run the centre inside this loop; gives the port. A centre that is DOWN has a port that nothing listens on.

    Raises:
        OSError: the port is taken; uvicorn's own message names it.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.closing(listener):
        try:
            listener.bind((host, port))
        except OSError as error:
            msg = f"port {port} on {host} is taken: stop what listens there, or choose another dispatch_port"
            raise OSError(error.errno, msg) from error
        chosen: int = listener.getsockname()[1]
        if centre.behaviour is Behaviour.DOWN:
            yield chosen
            return
        # Listening before uvicorn runs: no request can come too early.
        listener.listen(128)
        server = _Server(uvicorn.Config(centre.app(), log_level="warning", access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield chosen
        finally:
            server.should_exit = True
            server.force_exit = True
            await task
            await centre.settled()


def _too_large(body: bytes) -> Verdict | None:
    if len(body) <= _LARGEST_BODY:
        return None
    return Verdict(verified=False, reason=f"a body of {len(body)} bytes; a packet is under 20 kB")


def _verified_ids(log: Path) -> list[str]:
    """Webhook ids taken before this start: a centre that restarts knows what it has shown."""
    if not log.exists():
        return []
    found: list[str] = []
    for text in log.read_text(encoding="utf-8").splitlines():
        # The last line of a centre that was killed may be half a line: that one comes again, and is shown again.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            line = json.loads(text)
            if line["verified"] and line["status"] == HTTPStatus.OK:
                found.append(line["webhook_id"])
    return found
