"""The sheet of an emergency: one page whatever is on record, at true scale, and nothing left out in silence."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from api.ecg_pdf import MM_S
from api.packet_pdf import PORTRAIT, pdf
from tests.fhir.packets import packets

if TYPE_CHECKING:
    from api.packet import Packet

POINTS_A_MM = 72 / 25.4


def drawn(found: Packet) -> str:
    """The page's commands; it must be the only one."""
    made = pdf(found)
    assert len(re.findall(rb"/Type /Page\b", made)) == 1
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    return max((zlib.decompress(one) for one in streams), key=len).decode("latin-1")


@pytest.mark.parametrize("name", packets())
def test_it_is_one_page_and_the_same_each_time(name: str) -> None:
    found = packets()[name]
    drawn(found)
    assert pdf(found) == pdf(found)


def test_a_long_record_says_how_much_more_there_is() -> None:
    found = next(one for one in packets().values() if one.case and one.tracing)
    long = tuple(f"something that is long to read and goes on, number {n}" for n in range(40))
    page = drawn(replace(found, record=replace(found.record, problems=long, medication=long, allergies=long)))
    assert page.count("and 34 more") == 3
    assert "onset" in page  # the row with the onset has room


def test_the_strip_is_at_true_scale() -> None:
    found = next(one for one in packets().values() if one.tracing)
    assert found.tracing is not None
    page = drawn(found)
    curves = [part for part in re.split(r"\b[Sf]\b", page) if part.count(" l") > 100]
    x = [float(one) for curve in curves for one in re.findall(r"([\d.]+) [\d.]+ [lm]\b", curve)]
    widest = (max(x) - min(x)) / POINTS_A_MM
    assert widest == pytest.approx(PORTRAIT.row_s * MM_S, abs=0.5)


def test_what_is_not_known_says_so_and_letters_beyond_the_font_are_told() -> None:
    found = next(one for one in packets().values() if one.case)
    bare = replace(found.record, allergies="unknown", implants=(), name="样本伟")
    page = drawn(replace(found, record=bare))
    assert "not known" in page
    assert "none" in page
    assert "beyond this sheet's font" in page.replace("\\'", "'")
