"""The clinic's desk in the demo: makes the patients and hands out the devices, through the API like any other client.

It never touches the database, and doing it twice changes nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from device_sims.cast import Home

_TIMEOUT_S = 10.0
_TRIES = 60
_REST_S = 0.5
_SINCE = timedelta(days=1)
"""Before the first of its data: a cuff and a sensor keep old measurements."""
_REDIRECTS, _SERVER_ERRORS = 300, 500


class RegistrationError(RuntimeError):
    """The API does not take a patient or a device of the demo: path and answer follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where the product's API is, and with whose right we speak."""

    url: str
    """As `http://127.0.0.1:8080`."""
    token: str = field(repr=False)
    """May make patients and assignments."""

    @property
    def callback_url(self) -> str:
        """Where the dispatch centre says what becomes of an alert."""
        return f"{self.url}/api/v1/callbacks/dispatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One request of the clinic's desk."""

    method: str
    path: str
    body: dict[str, Any]
    key: str
    """The same key again changes nothing."""


def requests(everybody: Sequence[Home], now: datetime) -> Iterator[Wanted]:
    """Every request, in order: first the people, then whose device is whose."""
    for home in everybody:
        for person in home.people:
            yield Wanted(
                method="PUT",
                path=f"/api/v1/patients/{person.patient}",
                body=person.record,
                key=f"demo {person.patient}",
            )
    for home in everybody:
        for worn in (*home.straps, *home.patches):
            yield _assignment(worn.device, None, worn.patient, now)
        for sensor in home.sensors:
            yield _assignment(sensor.device, None, sensor.patient, now)
        for cuff in home.cuffs:
            for slot, patient in cuff.slots.items():
                yield _assignment(cuff.device, slot, patient, now)


async def register(api: Api, everybody: Sequence[Home], now: datetime) -> None:
    """Make them all, each request until the API has answered it.

    Raises:
        RegistrationError: the API refuses, or cannot be reached for half a minute.
    """
    headers = {"authorization": f"Bearer {api.token}"}
    async with httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client:
        for wanted in requests(everybody, now):
            await _ask(client, wanted)


def _assignment(device: str, slot: int | None, patient: str, now: datetime) -> Wanted:
    body = {"device": device, "slot": slot, "patient": patient, "from": (now - _SINCE).isoformat()}
    return Wanted(method="POST", path="/api/v1/assignments", body=body, key=f"demo {device} {slot} {patient}")


async def _ask(client: httpx2.AsyncClient, wanted: Wanted) -> None:
    trouble = ""
    for _ in range(_TRIES):
        try:
            reply = await client.request(
                wanted.method, wanted.path, json=wanted.body, headers={"idempotency-key": wanted.key}
            )
        except httpx2.TransportError as error:
            trouble = type(error).__name__
        else:
            if reply.status_code < _REDIRECTS:
                return
            trouble = f"{reply.status_code} {reply.text[:300]}"
            if reply.status_code < _SERVER_ERRORS:
                break
        await asyncio.sleep(_REST_S)
    raise RegistrationError(f"{wanted.method} {wanted.path}: {trouble}")
