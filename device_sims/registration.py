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
_OK, _CONFLICT, _SERVER_ERRORS = 300, 409, 500


class RegistrationError(RuntimeError):
    """The API does not take a patient or a device of the demo: path and answer follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where the product's API is, and with whose right we speak."""

    url: str
    """As `http://127.0.0.1:8080`."""
    token: str = field(repr=False)
    """May make patients and assignments."""
    dispatch_token: str = field(repr=False)
    """May answer alerts."""

    @property
    def answer_url(self) -> str:
        """Where the dispatch centre answers; `{alert_id}` and `{answer}` to be filled in."""
        return f"{self.url}/api/v1/alerts/{{alert_id}}/{{answer}}"


def requests(everybody: Sequence[Home], now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, body) of every request, in order: first the people, then whose device is whose."""
    since = (now - timedelta(hours=1)).isoformat()
    for home in everybody:
        for person in home.people:
            yield "/api/v1/patients", {"patient": person.patient, **person.record}
    for home in everybody:
        for worn in (*home.straps, *home.patches):
            yield (
                "/api/v1/assignments",
                {"device": worn.device, "slot": None, "patient": worn.patient, "from_at": since},
            )
        for cuff in home.cuffs:
            for slot, patient in cuff.slots.items():
                yield "/api/v1/assignments", {"device": cuff.device, "slot": slot, "patient": patient, "from_at": since}


async def register(api: Api, everybody: Sequence[Home], now: datetime) -> None:
    """Make them all; who is there already (409) stays as they are.

    Raises:
        RegistrationError: the API refuses, or cannot be reached for half a minute.
    """
    headers = {"authorization": f"Bearer {api.token}"}
    async with httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client:
        for path, body in requests(everybody, now):
            await _post(client, path, body)


async def _post(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> None:
    trouble = ""
    for _ in range(_TRIES):
        try:
            reply = await client.post(path, json=body)
        except httpx2.TransportError as error:
            trouble = type(error).__name__
        else:
            if reply.status_code < _OK or reply.status_code == _CONFLICT:
                return
            trouble = f"{reply.status_code} {reply.text[:300]}"
            if reply.status_code < _SERVER_ERRORS:
                break
        await asyncio.sleep(_REST_S)
    raise RegistrationError(f"POST {path}: {trouble}")
