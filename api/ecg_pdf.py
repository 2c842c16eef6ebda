"""A stretch of ECG as a PDF: A4 landscape at 25 mm/s and 10 mm/mV when printed at 100 %, ten seconds a row. Pure.

Must never draw a line where nothing was measured, nor fit the scale to the page.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import numpy as np

from alerts import ecg_paper
from stream.recording import MISSING

if TYPE_CHECKING:
    from fpdf import FPDF

    from alerts.stretches import Stretch

ROW_S, ROWS = 10, 5
MM_S, MM_MV = 25.0, 10.0
LEFT, TOP, ROW_MM, HALF_MM = 23.5, 26.0, 34.0, 15.0
"""Millimetres of the page: where the paper begins, from row to row, and half a row's height (1.5 mV)."""
_WIDTH = ROW_S * MM_S
_NOT = "Not from a cleared medical device. Not for diagnosis by itself."


def pdf(found: Stretch, who: str) -> bytes:
    """The pages; `who` names the patient, in the letters of Latin-1 (others become ?)."""
    from fpdf import FPDF

    made = FPDF(orientation="landscape", unit="mm", format="A4")
    made.set_auto_page_break(auto=False)
    made.set_title("ECG")
    seconds = found.samples.size / found.rate_hz
    pages = max(1, int(np.ceil(seconds / (ROW_S * ROWS))))
    known = found.samples[found.samples != MISSING]
    middle = float(np.median(known)) if known.size else 0.0
    for page in range(pages):
        made.add_page()
        _head(made, found, who, f"{page + 1} / {pages}")
        for row in range(ROWS):
            start = (page * ROWS + row) * ROW_S
            if start < seconds:
                _row(made, found, start, TOP + row * ROW_MM, middle)
    return bytes(made.output())


def _head(made: FPDF, found: Stretch, who: str, number: str) -> None:
    made.set_text_color(17, 24, 39)
    made.set_font("helvetica", "B", 11)
    made.text(LEFT, 12, _latin(who))
    made.set_font("helvetica", "", 9)
    until = found.from_at + timedelta(seconds=found.samples.size / found.rate_hz)
    span = f"{found.from_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} to {until.astimezone(UTC):%H:%M:%S} UTC"
    made.text(LEFT, 17, _latin(f"Lead {found.lead}  -  25 mm/s  -  10 mm/mV  -  {span}  -  {found.rate_hz:g} Hz"))
    made.text(LEFT, 205, f"Tierwatch. {_NOT} Print at 100 %.")
    made.text(LEFT + _WIDTH - made.get_string_width(number), 205, number)


def _row(made: FPDF, found: Stretch, start: int, top: float, middle: float) -> None:
    """Ten seconds from `start` on: the grid, hatched gaps, the line, and the time."""
    _grid(made, top)
    made.set_font("helvetica", "", 7)
    made.text(LEFT, top - 0.8, f"{(found.from_at + timedelta(seconds=start)).astimezone(UTC):%H:%M:%S}")
    first = round(start * found.rate_hz)
    part = found.samples[first : round((start + ROW_S) * found.rate_hz) + 1]
    x = LEFT + np.arange(part.size) / found.rate_hz * MM_S
    offset = np.clip((part.astype(float) - middle) / 1000 * MM_MV, -HALF_MM, HALF_MM)
    made.set_fill_color(215, 219, 226)
    for a, b in ecg_paper.runs(part == MISSING):
        right = min(x[b - 1] + MM_S / found.rate_hz, LEFT + _WIDTH)
        if right > x[a]:
            made.rect(x[a], top, right - x[a], 2 * HALF_MM, style="F")
    made.set_draw_color(17, 24, 39)
    made.set_line_width(0.25)
    for a, b in ecg_paper.runs(part != MISSING):
        points = list(zip(x[a:b].round(3).tolist(), (top + HALF_MM - offset[a:b]).round(3).tolist(), strict=True))
        made.polyline(points if len(points) > 1 else points * 2)
    for beat in found.beats:
        if start <= beat.at_s < start + ROW_S and beat.kind != "N":
            made.text(LEFT + (beat.at_s - start) * MM_S - 0.7, top + 2.5, beat.kind)


def _grid(made: FPDF, top: float) -> None:
    for every, shade, width in ((1, (246, 226, 222), 0.1), (5, (232, 188, 179), 0.15)):
        made.set_draw_color(*shade)
        made.set_line_width(width)
        for n in range(0, round(_WIDTH) + 1, every):
            made.line(LEFT + n, top, LEFT + n, top + 2 * HALF_MM)
        for n in range(0, round(2 * HALF_MM) + 1, every):
            made.line(LEFT, top + n, LEFT + _WIDTH, top + n)


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
