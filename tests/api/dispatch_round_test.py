"""The whole way to a dispatch centre and back: down for three minutes, then it comes, accepts, drives and arrives.

Real webhook, real centre, real API; only the station's clock is moved by hand.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from alerts.delivery.signing import ensure_secret
from alerts.delivery.webhook import Webhook
from alerts.reading import one_alert
from alerts.record import no_record
from api.app import create_app
from api.settings import ApiSettings
from device_sims.dispatch import DispatchCentre, serving
from device_sims.dispatch_behaviour import Behaviour
from stream.finding import Condition
from tests.alerts.desk import START, Desk, HandClock, Recorder, Stream, finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID


@pytest.fixture
def api(dsn: str, tmp_path: Path) -> Iterator[str]:
    """Where it listens."""
    app = create_app(ApiSettings(), dsn, tmp_path / "keys", HandClock())
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False, ws="none")
    )
    started = threading.Event()
    startup = server.startup

    async def announced(*given: Any, **named: Any) -> None:
        await startup(*given, **named)
        started.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@contextmanager
def _open(centre: DispatchCentre, port: int) -> Iterator[None]:
    """The centre in a thread of its own, until it has said all that it says."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = serving(centre, port=port)

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    do(context.__aenter__())
    try:
        yield
        do(asyncio.wait_for(centre.wait_for(lambda one: len(one.answered) >= 3), 15))
    finally:
        do(context.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def _shown(desk: Desk, alert: UUID) -> dict[str, Any]:
    found = one_alert(desk.conn, alert)
    assert found is not None
    return found


def test_down_for_three_minutes_and_then_it_comes(dsn: str, tmp_path: Path, api: str, free_tcp_port: int) -> None:
    keys, clock, logged = tmp_path / "keys", HandClock(), Recorder()
    secret = ensure_secret(keys, "dispatch")
    url = f"http://127.0.0.1:{free_tcp_port}/emergencies"
    webhook = Webhook({"dispatch": url}, keys, allowed_private_hosts=["127.0.0.1"])
    desk = Desk(dsn, clock, keys, {"webhook": webhook, "log": logged}, no_record)
    try:
        Stream(dsn).says(finding(Condition.VF))
        for _ in range(180):  # nobody listens there
            desk.work()
            clock.forward(1)
        alert = next(row["alert"] for row in desk.alerts() if row["condition"] == "vf")
        (waiting,) = [one for one in _shown(desk, alert)["notices"] if one["channel"] == "webhook"]
        at = [(one["at"] - START).total_seconds() for one in waiting["attempts"]]
        assert at == [0, 1, 2, 4, 8, 15, 30, 60, 120]
        assert {one["outcome"] for one in waiting["attempts"]} == {"retry"}

        centre = DispatchCentre(
            secret,
            callback=f"{api}/api/v1/callbacks/dispatch",
            behaviour=Behaviour.COME,
            show=lambda _: None,
            travel_s=0.2,
        )
        with _open(centre, free_tcp_port):
            desk.work()
        desk.work()
    finally:
        desk.close()
        webhook.close()

    assert [(one.webhook_id, one.alert_id) for one in centre.received] == [(str(waiting["notice"]), str(alert))]
    assert [(kind, status) for _, kind, status in centre.answered] == [
        ("accepted", 200), ("on_the_way", 200), ("arrived", 200),
    ]  # fmt: skip
    shown = desk_after(dsn, alert)
    assert (shown["state"], shown["answered_by"]) == ("taken", "dispatch")
    assert [one["kind"] for one in shown["responses"]] == ["accepted", "on_the_way", "arrived"]
    assert [one["what"] for one in shown["history"] if one["by_whom"] == "dispatch"] == [
        "accepted",
        "response",
        "response",
    ]
    patient = [
        message.body.decode()
        for message in logged.got
        if (message.person, message.type) == ("patient", "alert.updated")
    ]
    assert len(patient) == 2
    assert sum("救援已出发" in body for body in patient) == 1
    assert sum("help has arrived" in body for body in patient) == 1
    assert len([row for row in shown["notices"] if row["channel"] == "webhook"]) == 1, "one incident, one id"


def desk_after(dsn: str, alert: UUID) -> dict[str, Any]:
    import psycopg

    with psycopg.connect(dsn) as conn:
        found = one_alert(conn, alert)
    assert found is not None
    return found
