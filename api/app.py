"""The API and the pages: FastAPI over the functions of the folders before it. FHIR comes to stand beside it.

Alerting does not depend on it: it may be down, and every alert goes out. Must never load the detector.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from fastapi import FastAPI
from psycopg_pool import ConnectionPool, PoolTimeout

from alerts.delivery.channels import channels
from alerts.sealing import Seal
from alerts.settings import AlertsSettings
from api import (
    account_routes,
    alert_routes,
    audit_routes,
    callback_routes,
    device_routes,
    dispatch_pages,
    dispatch_routes,
    ecg_live,
    ecg_routes,
    family_routes,
    link_routes,
    live,
    me_routes,
    monitoring_routes,
    packet_routes,
    page_routes,
    people_routes,
    plan_routes,
    problem,
    reach_routes,
    record_routes,
    reference_routes,
    stream_routes,
    stretch_routes,
    strip_routes,
    summary_routes,
    trend_routes,
    worklist_routes,
)
from api.access import ensure_token
from api.audit import HeadFile
from api.described import described
from api.ecg_rooms import Rooms
from api.house import House
from api.live import Hub
from api.page_routes import StrictHeaders
from stream.ecg_coding import compile_coding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from alerts.clock import Clock
    from api.settings import ApiSettings

_PATIENCE_S = 3.0


def create_app(
    settings: ApiSettings, dsn: str, keys: Path, clock: Clock, alerts: AlertsSettings | None = None
) -> FastAPI:
    """The application; the operator's token is made in `keys` where there is none. `alerts`: left out, the defaults."""
    ensure_token(keys)
    alerts = alerts or AlertsSettings()
    pool = _pool(dsn)
    house = House(
        settings=settings,
        pool=pool,
        clock=clock,
        keys=keys,
        seal=Seal(keys),
        alerts=alerts,
        channels=channels(alerts, keys, dsn, settings.public_url),
        head=HeadFile(keys / "audit.head"),
    )
    hub, rooms = Hub(house, dsn), Rooms(house, dsn)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        pool.open(wait=False)
        # On a cold cache it takes seconds, and a strip is read inside a transaction that would be ended meanwhile.
        await asyncio.to_thread(compile_coding)
        try:
            yield
        finally:
            hub.stop()
            rooms.stop()
            with suppress(psycopg.Error, PoolTimeout), house.transaction() as conn:
                house.head.save(conn)
            pool.close()

    app = FastAPI(
        title="Tierwatch",
        description="Remote patient monitoring: alerts, patients, and the books of the log. Not a medical device.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.house, app.state.hub, app.state.rooms = house, hub, rooms
    app.openapi = partial(described, app)  # type: ignore[method-assign]
    problem.install(app)
    app.add_middleware(StrictHeaders)
    for routes in (
        stream_routes, audit_routes, alert_routes, strip_routes, callback_routes, people_routes, plan_routes, reach_routes,
        monitoring_routes, account_routes, me_routes, family_routes, ecg_routes, live, ecg_live, page_routes, device_routes,
        reference_routes, record_routes, packet_routes, link_routes, summary_routes,
        worklist_routes, dispatch_routes, dispatch_pages,
        trend_routes,
        stretch_routes,
    ):  # fmt: skip
        app.include_router(routes.router)
    return app


def _pool(dsn: str) -> ConnectionPool[psycopg.Connection[Any]]:
    return ConnectionPool(
        dsn,
        min_size=1,
        max_size=10,
        timeout=_PATIENCE_S,
        open=False,
        check=ConnectionPool.check_connection,
        kwargs={"application_name": "tierwatch api"},
    )
