"""Which recordings of a folder suit whom: one that fibrillates for Ada, quiet ones for the others. It plays nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device_sims.cast import FIBRILLATES_AT_S, Worn
from device_sims.player import Wave, fibrillation, from_record

if TYPE_CHECKING:
    from pathlib import Path

_LOOKED_AT = 60
"""Records of a folder that are looked into; a demo need not read a whole collection."""
_EXCERPT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a folder offers."""

    fibrillating: tuple[tuple[Path, float], ...] = ()
    """Record and onset in s, the longest fibrillation first."""
    quiet: tuple[Path, ...] = ()
    """Records without any fibrillation."""

    def wave(self, worn: Worn, turn: int) -> Wave | None:
        """A wave for this wearer; None where no recording suits, so that something synthetic has to."""
        if worn.plays == "fibrillation" and self.fibrillating:
            path, onset_s = self.fibrillating[0]
            return from_record(path, from_s=max(onset_s - FIBRILLATES_AT_S, 0.0), seconds=_EXCERPT_S)
        if worn.plays == "sinus" and self.quiet:
            return from_record(self.quiet[turn % len(self.quiet)], seconds=_EXCERPT_S)
        return None


def find_records(folder: Path | None) -> Records:
    """What lies in a folder of WFDB records and below it; what cannot be read is left out.

    Raises:
        FileNotFoundError: the folder holds no annotated record at all.
    """
    if folder is None:
        return Records()
    headers = sorted(path for path in folder.rglob("*.hea") if path.with_suffix(".atr").exists())
    spans: list[tuple[float, float, Path]] = []
    quiet: list[Path] = []
    for header in _spread(headers):
        path = header.with_suffix("")
        # A record whose annotations cannot be read is no loss to a demo.
        with contextlib.suppress(Exception):
            span = fibrillation(path)
            if span is None:
                quiet.append(path)
            else:
                spans.append((span[1] - span[0], span[0], path))
    if not spans and not quiet:
        raise FileNotFoundError(f"{folder} holds no WFDB record with annotations (NAME.hea, NAME.dat, NAME.atr)")
    spans.sort(reverse=True)
    return Records(fibrillating=tuple((path, onset_s) for _, onset_s, path in spans), quiet=tuple(quiet))


def _spread(headers: list[Path]) -> list[Path]:
    """At most so many of them, evenly from the whole list: collections lie behind each other in it."""
    step = max(len(headers) / _LOOKED_AT, 1.0)
    return [headers[int(turn * step)] for turn in range(min(len(headers), _LOOKED_AT))]
