"""Which recordings of a folder suit whom, by their annotations.

One that fibrillates for Ada, one of atrial fibrillation for Jonas, quiet ones for the others. It plays nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device_sims.cast import FIBRILLATES_AT_S, Worn
from device_sims.player import Wave, atrial_fibrillation, beats_between, fibrillation, from_record, is_calm

if TYPE_CHECKING:
    from pathlib import Path

_LOOKED_AT = 80
"""Records of a folder that are looked into; a demo need not read a whole collection."""
_EXCERPT_S = 600.0
_AF_S = 180.0
"""Atrial fibrillation has to last so long for the detector to be sure of it, and to go on a while."""
_AF_BEATS = (60, 110)
"""In its first minute: quick enough to be sure in time, too slow for another condition to speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a folder offers."""

    fibrillating: tuple[tuple[Path, float], ...] = ()
    """Record and onset in s, the longest fibrillation first."""
    atrial: tuple[tuple[Path, float, float], ...] = ()
    """Record, onset and end in s; first the one that begins with the fewest ventricular beats, of those the quickest."""
    quiet: tuple[Path, ...] = ()
    """Records of sinus rhythm."""

    def wave(self, worn: Worn, turn: int) -> Wave | None:
        """A wave for this wearer; None where no recording suits, so that something synthetic has to."""
        if worn.plays == "fibrillation" and self.fibrillating:
            path, onset_s = self.fibrillating[0]
            return from_record(path, from_s=max(onset_s - FIBRILLATES_AT_S, 0.0), seconds=_EXCERPT_S)
        if worn.plays == "af" and self.atrial:
            path, onset_s, end_s = self.atrial[0]
            return from_record(path, from_s=onset_s, seconds=min(end_s - onset_s, _EXCERPT_S))
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
    headers = sorted(
        path
        for path in folder.rglob("*.hea")
        if path.with_suffix(".atr").exists() and path.with_suffix(".dat").exists()
    )
    ventricular: list[tuple[float, float, Path]] = []
    atrial: list[tuple[tuple[int, int], tuple[Path, float, float]]] = []
    quiet: list[Path] = []
    for header in _spread(headers):
        path = header.with_suffix("")
        # A record whose annotations cannot be read is no loss to a demo.
        with contextlib.suppress(Exception):
            if span := fibrillation(path):
                ventricular.append((span[1] - span[0], span[0], path))
            elif span := atrial_fibrillation(path):
                beats, odd = beats_between(path, span[0], span[0] + 60.0)
                if span[1] - span[0] >= _AF_S and _AF_BEATS[0] <= beats <= _AF_BEATS[1]:
                    atrial.append(((odd, -beats), (path, *span)))
            if is_calm(path):
                quiet.append(path)
    if not ventricular and not atrial and not quiet:
        raise FileNotFoundError(f"{folder} holds no WFDB record with annotations (NAME.hea, NAME.dat, NAME.atr)")
    return Records(
        fibrillating=tuple((path, onset_s) for _, onset_s, path in sorted(ventricular, reverse=True)),
        atrial=tuple(found for _, found in sorted(atrial)),
        quiet=tuple(quiet),
    )


def _spread(headers: list[Path]) -> list[Path]:
    """At most so many of them, evenly from the whole list: collections lie behind each other in it."""
    step = max(len(headers) / _LOOKED_AT, 1.0)
    return [headers[int(turn * step)] for turn in range(min(len(headers), _LOOKED_AT))]
