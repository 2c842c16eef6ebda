"""Follows the demo from outside and says whether each person was told: `tierwatch demo --story`.

It sees what people see: the live pages of those who are signed in, the API, and the dispatch centre's log. It waits for
what has to happen, never for a time, and gives up on what cannot come any more. It changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import websockets
from websockets.asyncio.client import connect

from device_sims import guests

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from device_sims.guests import Pass
    from device_sims.registration import Api

Row = dict[str, Any]

_LOOK_S = 0.5
_TIMEOUT_S = 10.0
_OK = 200


@dataclass(slots=True)
class Sight:
    """All that is seen at one moment."""

    pages: dict[str, dict[str, Row]] = field(default_factory=dict)
    """By login: the alerts that their page has shown, each as it was last."""
    dispatch: list[Row] = field(default_factory=list)
    """What the dispatch centre wrote down, as it came."""
    alerts: dict[str, Row] = field(default_factory=dict)
    """By id: what the API tells of the alerts of this story, with history and notices."""

    def on_page(self, login: str, is_it: Callable[[Row], bool]) -> Row | None:
        """The first alert of that kind on somebody's page."""
        return next((row for row in self.pages.get(login, {}).values() if is_it(row)), None)

    def found(self, is_it: Callable[[Row], bool]) -> Row | None:
        """The alert of that kind on the console, with all that the API tells of it."""
        row = self.on_page(guests.DOCTOR.login, is_it)
        return None if row is None else row | self.alerts.get(str(row["alert"]), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that has to be seen."""

    name: str
    """In words, for the terminal."""
    seen: Callable[[Sight], str]
    """What was seen of it, in words; empty: nothing yet."""
    hopeless: Callable[[Sight], str] = lambda _: ""
    """Why it cannot come any more; empty: it still can."""


def _is_low(row: Row) -> bool:
    return bool(row["tier"] == "tip" and row["kind"] == "physiological" and str(row["condition"]).startswith("glucose"))


def _is_af(row: Row) -> bool:
    return bool(row["condition"] == "af" and row["tier"] == "doctor" and row.get("subject") == "jonas")


def _is_vf(row: Row) -> bool:
    return bool(row["tier"] == "emergency" and row["condition"] == "vf")


def _is_off(row: Row) -> bool:
    return bool(
        row["kind"] == "technical" and row["condition"] == "lead_off" and row.get("subject", "lin-xiao") == "lin-xiao"
    )


def _tip(sight: Sight) -> str:
    row = sight.on_page(guests.SOFIA.login, _is_low)
    return f"{row['condition']} on Sofia's page" if row else ""


def _doctor(sight: Sight) -> str:
    row = sight.on_page(guests.DOCTOR.login, _is_af)
    return f"{row['condition']} of {row['subject']} on the doctor's console" if row else ""


def _emergency(sight: Sight) -> str:
    row = sight.found(_is_vf)
    whole = [line for line in _taken(sight, row) if not line["lacks"]]
    return f"{row['condition']} of {row['subject']}: signature verified, record whole" if row and whole else ""


def _without_record(sight: Sight) -> str:
    """For the end: what an emergency that did come lacked."""
    lines = _taken(sight, sight.found(_is_vf))
    return f"it came, but lacked {', '.join(lines[-1]['lacks'])}" if lines else ""


def _taken(sight: Sight, row: Row | None) -> list[Row]:
    alert = str(row["alert"]) if row else ""
    return [line for line in sight.dispatch if line["alert_id"] == alert and line["verified"] and line["status"] == _OK]


def _technical(sight: Sight) -> str:
    row, on_console = sight.on_page(guests.LIN.login, _is_off), sight.found(_is_off)
    notices = on_console.get("notices", ()) if on_console else ()
    told = any(one["person"] == "patient" and one["status"] == "delivered" for one in notices)
    return f"{row['condition']} on Lin's page, and its notice delivered" if row and told else ""


def _acceptance(sight: Sight) -> str:
    row = sight.found(_is_vf)
    return f"answered by {row['answered_by']}" if row and row["state"] in ("taken", "settled") else ""


def _visible(sight: Sight) -> str:
    row = sight.on_page(guests.ADA.login, _is_vf)
    return f"on Ada's page: {row['answered_name']} has it" if row and row["answered_name"] else ""


def _rejected(sight: Sight) -> str:
    row = sight.found(_is_vf)
    # The demo's dispatch centre answers always the same, and nobody else is there to accept.
    is_rejected = row is not None and any(entry["what"] == "rejected" for entry in row.get("history", ()))
    return "the dispatch centre has rejected it" if is_rejected else ""


STEPS: tuple[Step, ...] = (
    Step(name="TIP to the patient", seen=_tip),
    Step(name="EMERGENCY at the dispatch centre", seen=_emergency),
    Step(name="acceptance on the alert", seen=_acceptance, hopeless=_rejected),
    Step(name="acceptance visible to the patient", seen=_visible, hopeless=_rejected),
    Step(name="DOCTOR on the console", seen=_doctor),
    Step(name="technical alert to the wearer", seen=_technical),
)
"""The story, about in the order in which it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a witness stands."""

    api: Api
    dispatch_log: Path
    since: datetime
    """What the dispatch centre wrote before is of another run."""
    within_s: float
    """Real seconds after which it gives up."""


def watch(post: Post, passes: Sequence[Pass], say: Callable[[str], None], ended: threading.Event) -> list[str]:
    """See every step, or name those that were not seen (in words, with the reason where one is known).

    Blocks until all were seen, none can come any more, the time is up, or `ended` is set.
    """
    return asyncio.run(_watch(post, passes, say, ended))


async def _watch(post: Post, passes: Sequence[Pass], say: Callable[[str], None], ended: threading.Event) -> list[str]:
    sight, changed, begun = Sight(), asyncio.Event(), time.monotonic()
    waiting = list(STEPS)
    headers = {"authorization": f"Bearer {post.api.token}"}
    async with httpx2.AsyncClient(
        base_url=post.api.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False
    ) as client:
        pages = [
            asyncio.create_task(_follow(post.api.url, one, sight, changed))
            for one in passes
            if one.guest.kind in guests.FOLLOWED
        ]
        try:
            while waiting and not ended.is_set() and time.monotonic() - begun < post.within_s:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await changed.wait()
                changed.clear()
                await _look(client, post, sight)
                for step in [one for one in waiting if one.seen(sight)]:
                    say(f"{time.monotonic() - begun:6.1f} s  {step.name}: {step.seen(sight)}")
                    waiting.remove(step)
                if waiting and all(step.hopeless(sight) for step in waiting):
                    break
        finally:
            for page in pages:
                page.cancel()
            results = await asyncio.gather(*pages, return_exceptions=True)
    trouble = [str(error) for error in results if isinstance(error, Exception)]
    return [*(_missing(step, sight) for step in waiting), *(trouble if waiting else ())]


def _missing(step: Step, sight: Sight) -> str:
    why = step.hopeless(sight) or (_without_record(sight) if step.seen is _emergency else "")
    return f"{step.name}: {why or 'not seen'}"


async def _look(client: httpx2.AsyncClient, post: Post, sight: Sight) -> None:
    """The dispatch centre's log, and the alerts of the story with all that belongs to them."""
    sight.dispatch = await asyncio.to_thread(_lines, post.dispatch_log, post.since.isoformat())
    for is_it in (_is_vf, _is_off):
        row = sight.on_page(guests.DOCTOR.login, is_it)
        if row is None:
            continue
        with suppress(httpx2.HTTPError, ValueError):
            reply = await client.get(f"/api/v1/alerts/{row['alert']}")
            if reply.is_success:
                sight.alerts[str(row["alert"])] = reply.json()


def _lines(log: Path, since: str) -> list[Row]:
    found: list[Row] = []
    try:
        texts = log.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for text in texts:
        with suppress(ValueError):  # the last one may be half written
            line = json.loads(text)
            if line["at"] >= since:
                found.append(line)
    return found


async def _follow(url: str, one: Pass, sight: Sight, changed: asyncio.Event) -> None:
    """What somebody's page shows, for as long as it lasts; a socket that is cut is opened again."""
    while True:
        with suppress(OSError, httpx2.TransportError, websockets.WebSocketException, TimeoutError):
            cookie = await _signed_in(url, one)
            live = url.replace("http", "ws", 1) + "/api/v1/live"
            async with connect(live, origin=url, additional_headers={"cookie": cookie}, proxy=None) as socket:  # type: ignore[arg-type]
                async for text in socket:
                    sight.pages[one.guest.login] = _shown(sight.pages.get(one.guest.login, {}), json.loads(text))
                    changed.set()
        await asyncio.sleep(_LOOK_S)


def _shown(before: Mapping[str, Row], said: Row) -> dict[str, Row]:
    """What a page has shown after the socket has said something: what is gone was seen all the same."""
    return {**before, **{str(row["alert"]): row for row in said.get("alerts", ())}}


async def _signed_in(url: str, one: Pass) -> str:
    """The cookie of a fresh session, as a browser on our own page gets it."""
    async with httpx2.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as client:
        said = {"login": one.guest.login, "password": one.password}
        reply = await client.post("/api/v1/session", json=said, headers={"origin": url})
        if not reply.is_success:
            raise PermissionError(f"{one.guest.login} cannot sign in: {reply.status_code} {reply.text[:200]}")
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())
