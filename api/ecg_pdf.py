"""A stretch of ECG as a PDF: A4 landscape at 25 mm/s and 10 mm/mV when printed at 100 %, ten seconds a row. Pure.

Must never draw a line where nothing was measured, nor fit the scale to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from alerts import ecg_paper
from stream.recording import MISSING

if TYPE_CHECKING:
    from fpdf import FPDF
    from numpy.typing import NDArray

    from alerts.stretches import Stretch

MM_S, MM_MV = 25.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How a signal lies on a page; lengths in millimetres."""

    left: float
    row_s: float
    """Seconds a row."""
    half: float
    """Half a row's height."""

    @property
    def width(self) -> float:
        """Of a row."""
        return self.row_s * MM_S


LANDSCAPE = Paper(left=23.5, row_s=10.0, half=15.0)
ROWS, TOP, ROW_MM = 5, 26.0, 34.0
"""Rows a page, where the first begins, and from row to row."""
_NOT = "Not from a cleared medical device. Not for diagnosis by itself."


class Signal(Protocol):
    """What can be drawn: int16 microvolts of one lead."""

    @property
    def samples(self) -> NDArray[np.int16]:
        """Shape (n,)."""

    @property
    def rate_hz(self) -> float:
        """Samples a second."""

    @property
    def from_at(self) -> datetime:
        """Of the first."""


def pdf(found: Stretch, who: str) -> bytes:
    """The pages; `who` names the patient, in the letters of Latin-1 (others become ?)."""
    from fpdf import FPDF

    made = FPDF(orientation="landscape", unit="mm", format="A4")
    made.set_auto_page_break(auto=False)
    made.set_title("ECG")
    seconds = found.samples.size / found.rate_hz
    pages = max(1, int(np.ceil(seconds / (LANDSCAPE.row_s * ROWS))))
    middle = middle_of(found.samples)
    for page in range(pages):
        made.add_page()
        _head(made, found, who, f"{page + 1} / {pages}")
        for row in range(ROWS):
            start = (page * ROWS + row) * LANDSCAPE.row_s
            if start < seconds:
                draw_row(made, LANDSCAPE, found, start, TOP + row * ROW_MM, middle)
                _beats(made, found, start, TOP + row * ROW_MM)
    return bytes(made.output())


def _head(made: FPDF, found: Stretch, who: str, number: str) -> None:
    made.set_text_color(17, 24, 39)
    made.set_font("helvetica", "B", 11)
    made.text(LANDSCAPE.left, 12, latin(who))
    made.set_font("helvetica", "", 9)
    until = found.from_at + timedelta(seconds=found.samples.size / found.rate_hz)
    span = f"{found.from_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} to {until.astimezone(UTC):%H:%M:%S} UTC"
    made.text(
        LANDSCAPE.left, 17, latin(f"Lead {found.lead}  -  25 mm/s  -  10 mm/mV  -  {span}  -  {found.rate_hz:g} Hz")
    )
    made.text(LANDSCAPE.left, 205, f"Tierwatch. {_NOT} Print at 100 %.")
    made.text(LANDSCAPE.left + LANDSCAPE.width - made.get_string_width(number), 205, number)


def middle_of(samples: NDArray[np.int16]) -> float:
    """The microvolts that lie in the middle of a row."""
    known = samples[samples != MISSING]
    return float(np.median(known)) if known.size else 0.0


def draw_row(made: FPDF, paper: Paper, found: Signal, start: float, top: float, middle: float) -> None:
    """A row from second `start` on: the grid, hatched gaps, the line, and the time."""
    _grid(made, paper, top)
    made.set_text_color(17, 24, 39)
    made.set_font("helvetica", "", 7)
    made.text(paper.left, top - 0.8, f"{(found.from_at + timedelta(seconds=start)).astimezone(UTC):%H:%M:%S}")
    first = round(start * found.rate_hz)
    part = found.samples[first : round((start + paper.row_s) * found.rate_hz) + 1]
    x = paper.left + np.arange(part.size) / found.rate_hz * MM_S
    offset = np.clip((part.astype(float) - middle) / 1000 * MM_MV, -paper.half, paper.half)
    made.set_fill_color(215, 219, 226)
    for a, b in ecg_paper.runs(part == MISSING):
        right = min(x[b - 1] + MM_S / found.rate_hz, paper.left + paper.width)
        if right > x[a]:
            made.rect(x[a], top, right - x[a], 2 * paper.half, style="F")
    made.set_draw_color(17, 24, 39)
    made.set_line_width(0.25)
    for a, b in ecg_paper.runs(part != MISSING):
        points = list(zip(x[a:b].round(3).tolist(), (top + paper.half - offset[a:b]).round(3).tolist(), strict=True))
        made.polyline(points if len(points) > 1 else points * 2)


def _beats(made: FPDF, found: Stretch, start: float, top: float) -> None:
    for beat in found.beats:
        if start <= beat.at_s < start + LANDSCAPE.row_s and beat.kind != "N":
            made.text(LANDSCAPE.left + (beat.at_s - start) * MM_S - 0.7, top + 2.5, beat.kind)


def _grid(made: FPDF, paper: Paper, top: float) -> None:
    for every, shade, width in ((1, (246, 226, 222), 0.1), (5, (232, 188, 179), 0.15)):
        made.set_draw_color(*shade)
        made.set_line_width(width)
        for n in range(0, int(paper.width) + 1, every):
            made.line(paper.left + n, top, paper.left + n, top + 2 * paper.half)
        for n in range(0, round(2 * paper.half) + 1, every):
            made.line(paper.left, top + n, paper.left + paper.width, top + n)


def latin(text: str) -> str:
    """What the built-in letters can show of it; others become ?."""
    return text.encode("latin-1", "replace").decode("latin-1")
