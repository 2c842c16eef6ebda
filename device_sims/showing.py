"""What the demo does beside its world: lets people look in, and with `--story` stands witness that each was told.

It runs in the supervisor's process from "ready" on and speaks to the product as anybody does: through its API.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from device_sims import guests, witness
from device_sims.guests import NoAccount

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime

    from device_sims.guests import Pass
    from device_sims.registration import Api

DATA_VARIABLE = "TIERWATCH_DATA"
"""Names a folder of recordings, for the tests as well."""
_PATIENCE = 120
"""Tries, half a second apart, until the API makes accounts: it may still be starting."""
_REST_S = 0.5


class NoRecords(ValueError):
    """A folder of recordings was asked for, and is none; what to do follows."""


def recordings(given: Path | None) -> Path | None:
    """The folder to play from: the one that was asked for, else the one of $TIERWATCH_DATA, if it has any.

    Raises:
        NoRecords: the one that was asked for is no folder, or holds no annotated record.
    """
    if given is not None:
        if not given.is_dir():
            raise NoRecords(
                f"{given} is no folder: --records takes a folder of WFDB recordings (.hea, .dat), or leave it out."
            )
        if next(given.rglob("*.atr"), None) is None:
            raise NoRecords(f"{given} holds no WFDB record with annotations (NAME.hea, NAME.dat, NAME.atr).")
        return given.resolve()
    named = os.environ.get(DATA_VARIABLE)
    folder = Path(named) if named else None
    if folder is None or not folder.is_dir() or next(folder.rglob("*.atr"), None) is None:
        return None
    return folder.resolve()


@dataclass(slots=True)
class Showing:
    """One evening of it; called from "ready" on, with the event that ends it."""

    api_now: Callable[[], Api]
    """Asked when it is ready: its token may be made by then only."""
    say: Callable[[str], None]
    dispatch_log: Path
    since: datetime
    within_s: float | None = None
    """Real seconds that the story may take; None: nobody witnesses it."""
    is_told: bool = False
    """Whether a witness saw each person told; what ended before there was any story was not told."""

    def __call__(self, ended: threading.Event) -> None:
        """Accounts, then, if it is witnessed, the story."""
        passes = self._open_doors(ended)
        if self.within_s is None:
            return
        if not passes:
            return
        self.say("The story, in seconds since it was ready:")
        post = witness.Post(
            api=self.api_now(), dispatch_log=self.dispatch_log, since=self.since, within_s=self.within_s
        )
        untold = witness.watch(post, passes, self.say, ended)
        for line in untold:
            self.say(f"MISSING   {line}")
        if not untold:
            self.is_told = True
            self.say("Each person was told.")

    def _open_doors(self, ended: threading.Event) -> list[Pass]:
        trouble = ""
        for _ in range(_PATIENCE):
            try:
                passes = guests.let_in(api := self.api_now())
            except (httpx2.TransportError, NoAccount) as error:
                trouble = f"{type(error).__name__} {error}"
                if isinstance(error, NoAccount) and error.is_final:
                    break
            else:
                for line in guests.shown(passes, api.url):
                    self.say(line)
                return passes
            if ended.wait(_REST_S):
                return []
        self.say(f"No accounts could be made: {trouble}")
        return []
