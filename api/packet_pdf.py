"""The packet of an emergency on one A4 sheet: what, where, who, before you treat, the strip at true scale. Pure.

Must never run to a second page, nor leave out in silence: what has no room says how much there is more.
"""

from __future__ import annotations

import math
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, cast

from alerts.record import UNKNOWN
from api.ecg_pdf import MM_MV, MM_S, Paper, draw_row, latin, middle_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fpdf import FPDF

    from alerts.record import Contact, Record, Vital
    from api.packet import Packet

PORTRAIT = Paper(left=11.25, row_s=7.5, half=10.0)
"""Four rows of 7.5 s hold the 30 s of an alert."""
_ROW_MM, _FOOT = 24.0, 289.0
_COLUMNS = ((11.25, 60.0), (75.0, 60.0), (138.75, 60.0))
"""Left edge and width of the three columns."""
_MOST = 6
"""Lines of a list that have room."""
_NOT = "A detector's finding, not a physician's diagnosis. For research and development; no cleared medical device."


def pdf(found: Packet, letters: Path | None = None) -> bytes:
    """The sheet. `letters`: a font file (TrueType) that has every letter; without one those beyond Latin-1 show as ?.

    Raises:
        OSError: the font file cannot be read.
    """
    from fpdf import FPDF

    made = FPDF(unit="mm", format="A4")
    made.set_auto_page_break(auto=False)
    made.set_title("Emergency record")
    made.set_creation_date(found.at.astimezone(UTC))  # the same packet gives the same bytes
    made.add_page()
    sheet = _Sheet(made, letters)
    y = sheet.head(found, 14.0)
    columns = (
        (("Where", _where(found.record)), ("Call", _phones(found.record))),
        (("Who", _who(found.record)), ("Last values", _vitals(found))),
        (
            ("Directives", _lines(found.record.directives)), ("Allergies", _lines(found.record.allergies)),
            ("Implants", _lines(found.record.implants)), ("Blood group", [_text(found.record.blood_group)]),
        ),
    )  # fmt: skip
    y = max(sheet.column(place, blocks, y) for place, blocks in zip(_COLUMNS, columns, strict=True))
    below = ((("Problems", _lines(found.record.problems)),), (("Medication", _lines(found.record.medication)),))
    y = max(sheet.column(place, blocks, y + 2) for place, blocks in zip(_COLUMNS, below, strict=False))
    sheet.strip(found, y + 4)
    sheet.foot(found)
    return bytes(made.output())


class _Sheet:
    """The page, and the letters that it is written in."""

    def __init__(self, made: FPDF, letters: Path | None) -> None:
        self._made, self._family, self._is_whole = made, "helvetica", letters is not None
        if letters is not None:
            made.add_font("own", fname=letters)
            made.add_font("own", style="B", fname=letters)
            self._family = "own"
        self._lost = False

    def write(self, text: str, x: float, y: float, width: float, size: float, *, bold: bool = False) -> float:
        """Lines of a paragraph; returns where the next begins."""
        made, height = self._made, size * 0.45
        made.set_font(self._family, "B" if bold else "", size)
        made.set_xy(x, y)
        shown = text if self._is_whole else latin(text)
        self._lost = self._lost or shown != text
        lines = cast("list[str]", made.multi_cell(width, height, shown, align="L", dry_run=True, output="LINES"))
        for line in lines[:3]:
            made.set_xy(x, y)
            made.cell(width, height, line)
            y += height
        return y

    def head(self, found: Packet, y: float) -> float:
        """What it is and since when, in one sentence."""
        made, case = self._made, found.case
        made.set_text_color(17, 24, 39)
        if case is None:
            return self.write("Summary of a record", 11.25, y, 187.5, 16, bold=True) + 3
        made.set_fill_color(179, 18, 43)
        made.rect(11.25, y - 4, 187.5, 1.2, style="F")
        title = f"{case.alert.tier.value.upper()}: {case.what['en']}"
        y = self.write(title, 11.25, y, 187.5, 16, bold=True)
        y = self.write(case.reason["en"], 11.25, y + 1, 187.5, 10)
        at = case.alert.onset.astimezone(UTC)
        return self.write(f"Since {at:%Y-%m-%d %H:%M:%S} UTC. Alert {case.alert.alert}.", 11.25, y + 1, 187.5, 8) + 3

    def column(self, place: tuple[float, float], blocks: Sequence[tuple[str, list[str]]], y: float) -> float:
        """Blocks under their names, at most `_MOST` lines each."""
        x, width = place
        for name, lines in blocks:
            self._made.set_text_color(86, 97, 120)
            y = self.write(name, x, y, width, 8, bold=True)
            self._made.set_text_color(17, 24, 39)
            for line in lines[:_MOST]:
                y = self.write(line, x, y, width, 9.5)
            if len(lines) > _MOST:
                y = self.write(f"and {len(lines) - _MOST} more: see the record", x, y, width, 9.5, bold=True)
            y += 1.5
        return y

    def strip(self, found: Packet, y: float) -> None:
        """The ECG around the onset, as many rows as there is room for; at least the first."""
        tracing = found.tracing
        if tracing is None:
            self.write("No ECG is stored around the onset.", PORTRAIT.left, y, PORTRAIT.width, 9.5)
            return
        said = f"ECG, lead {tracing.lead[:20]}, {MM_S:g} mm/s, {MM_MV:g} mm/mV when printed at 100 %; times in UTC"
        y = self.write(said, PORTRAIT.left, y, PORTRAIT.width, 8) + 4
        seconds, middle = tracing.samples.size / tracing.rate_hz, middle_of(tracing.samples)
        room = max(1, int((_FOOT - 6 - y) // _ROW_MM))
        rows = math.ceil(seconds / PORTRAIT.row_s)
        # With no room for all, the rows from the one with the onset on.
        first = 0 if rows <= room else min(max(int(tracing.onset_s // PORTRAIT.row_s), 0), rows - room)
        for n in range(first, min(first + room, rows)):
            top = y + (n - first) * _ROW_MM
            draw_row(self._made, PORTRAIT, tracing, n * PORTRAIT.row_s, top, middle)
            if n * PORTRAIT.row_s <= tracing.onset_s < (n + 1) * PORTRAIT.row_s:
                x = PORTRAIT.left + (tracing.onset_s - n * PORTRAIT.row_s) * MM_S
                self._made.set_draw_color(179, 18, 43)
                self._made.line(x, top, x, top + 2 * PORTRAIT.half)
                self._made.text(x + 1, top + 3, "onset")
        if rows > room:
            self.write(f"{room} of {rows} rows; the whole strip is in the record", PORTRAIT.left, _FOOT - 7, 187.5, 8)

    def foot(self, found: Packet) -> None:
        """Of what time it is, what it is not, and what could not be written."""
        lost = " Letters that show as ? are beyond this sheet's font: see the page." if self._lost else ""
        self.write(f"As of {found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC. {_NOT}{lost}", 11.25, _FOOT - 3, 187.5, 7)


def _text(value: str) -> str:
    return "not known" if value == UNKNOWN else value


def _lines(value: tuple[str, ...] | str) -> list[str]:
    return [_text(value)] if isinstance(value, str) else list(value) or ["none"]


def _where(record: Record) -> list[str]:
    return [_text(record.address), f"Door code: {_text(record.door_code)}", f"Position: {_text(record.position)}"]


def _who(record: Record) -> list[str]:
    return [
        _text(record.name), f"Born {_text(record.birth_date)}, {_text(record.sex)}", f"Speaks {_text(record.language)}",
    ]  # fmt: skip


def _phones(record: Record) -> list[str]:
    def of(one: Contact) -> str:
        return f"{one.name} ({_text(one.relation)}): {_text(one.phone)}" + (
            ", has a key" if one.has_key is True else ""
        )

    own = [_text(record.phones)] if isinstance(record.phones, str) else list(record.phones)
    return own + ([] if isinstance(record.contacts, str) else [of(one) for one in record.contacts])


def _vitals(found: Packet) -> list[str]:
    if isinstance(found.record.vitals, str):
        return [_text(found.record.vitals)]
    return [_vital(one, found) for one in found.record.vitals]


def _vital(one: Vital, found: Packet) -> str:
    values = ", ".join(f"{name} {value:g}" for name, value in one.values.items() if value is not None)
    age = timedelta(seconds=round((found.at - one.at).total_seconds()))
    return f"{one.kind.replace('_', ' ')}: {values or 'no value'} ({age} before)"
