"""The report: complete, safe, self-contained; the strips say what is there and nothing more."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from alerts.validation.collection import Collection, Source
from alerts.validation.examine import Examined, Task
from alerts.validation.figures import figures_of
from alerts.validation.report import report
from alerts.validation.results import Results, as_json, write
from alerts.validation.statements import DEVELOPED_ON, NOT_CLEARED
from alerts.validation.strip_picture import MM, Bar, Beat, Picture, strip
from alerts.validation.worst import MOST, OF_ONE, worst
from stream.recording import MISSING
from tests.alerts.validation.annotated import reference, said

RATE = 250.0
VOID = {"meta"}


class Balanced(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag


def results(*records, **more):
    source = Source(
        name="<b>ward</b>", collection=Collection.MITDB, folder=Path("ward"), records=(Path("ward/1"),), truth={}
    )
    given = {
        "version": "1", "made_at": datetime(2026, 11, 24, tzinfo=UTC), "took_s": 3.0, "sources": [source],
        "examined": list(records), "figures": figures_of(list(records)),
    }  # fmt: skip
    return Results(**{**given, **more})


def examined(name="101", **counts):
    task = Task(source="<b>ward</b>", collection=Collection.MITDB, path=Path(name))
    return Examined(task=task, seconds=1800.0, cpu_s=1.0, counts=counts)


ONE = examined(qrs={"tp": 99.0, "fn": 1.0, "fp": 0.0}, classes={"NN": 90.0, "VV": 5.0, "VN": 5.0})


def test_the_page_is_whole_and_first_says_what_it_is_not():
    page = report(results(ONE, examined("102", qrs={"tp": 100.0, "fn": 0.0, "fp": 3.0})), {})
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert {"main", "nav", "table", "h1"} <= parser.tags
    assert page.index(NOT_CLEARED) < page.index("Beside the targets")
    for word in ("QRS DER", "V Se", "EC57", "licence", "prefers-color-scheme", "max-width: 40rem"):
        assert word in page


def test_the_halves_of_mit_bih_are_told_apart_as_one_was_learned_from():
    both = [examined(name, qrs={"tp": 9.0, "fn": 1.0, "fp": 0.0}) for name in ("101", "100", "104")]
    where = {one.where for one in figures_of(both) if one.name == "QRS Se"}
    assert where == {"<b>ward</b>", "<b>ward</b> DS1", "<b>ward</b> DS2"}
    assert {one.where for one in figures_of(both[:1])} == {"<b>ward</b>"}
    assert DEVELOPED_ON in report(results(*both), {})


def test_none_lost_of_few_is_no_proof_that_none_is_ever_lost():
    counts = [{"tp": 1.0, "Asystole_tp": 1.0}, {"tn": 1.0, "Asystole_tn": 1.0}]
    found = {one.name: one for one in figures_of([examined(str(n), arrest=c) for n, c in enumerate(counts)])}
    lost = found["true asystole, VF, extreme rate lost"]
    assert (lost.value, round(lost.high, 1), str(lost.standing)) == (0, 3.0, "met, not proven")
    assert str(found["arrest score"].standing) == "met"


def test_nothing_comes_from_outside_and_nothing_runs():
    page = report(results(ONE), {})
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=[\"'](?!#)|url\((?!#)|@import|https?://", page)
    assert not re.findall(r"<[^>]+\sstyle=", page)
    assert "default-src 'none'" in page


def test_names_of_folders_and_recordings_are_text():
    page = report(results(examined("<script>x</script>", qrs={"tp": 1.0, "fn": 0.0, "fp": 0.0})), {})
    assert "<b>ward" not in page
    assert "<script>x" not in page


def test_json_holds_every_figure_and_every_recording(tmp_path):
    found = results(ONE)
    write(tmp_path / "out" / "validate.json", as_json(found))
    told = json.loads((tmp_path / "out" / "validate.json").read_text())
    assert [one["name"] for one in told["figures"]] == [one.name for one in found.figures]
    der = next(one for one in told["figures"] if one["name"] == "QRS DER")
    assert (der["value"], der["low"], der["target"], der["standing"]) == (
        1.0, None, {"value": 0.2, "is_least": False}, "not met",
    )  # fmt: skip
    assert told["recordings"][0]["counts"]["qrs"]["tp"] == 99
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["validate.json"]  # no half file left


# --- Strips -----------------------------------------------------------------------------------------------------------


def picture(samples, **more):
    given = {
        "samples": np.asarray(samples, np.int16), "rate_hz": RATE, "start_s": 0.0, "seconds": 7.2, "lead": "MLII",
        "theirs": (), "ours": (), "label": "a strip",
    }  # fmt: skip
    return Picture(**{**given, **more})


def points(svg):
    """All points of the trace."""
    paths = re.findall(r'class="trace" d="([^"]*)"', svg)
    return [tuple(map(float, pair.split())) for d in paths for pair in re.split("[ML]", d) if pair.strip()]


def test_one_millivolt_is_ten_millimetres_and_a_second_twenty_five():
    samples = np.zeros(1800)
    samples[250] = 1000
    svg = strip(picture(samples))
    drawn = points(svg)
    peak = min(drawn, key=lambda p: p[1])
    foot = max(drawn, key=lambda p: p[1])
    assert foot[1] - peak[1] == pytest.approx(10 * MM, abs=0.1)
    assert peak[0] == pytest.approx(10 * MM + 25 * MM, abs=1.0)
    assert svg.count("<svg") == 2


def test_no_line_is_drawn_where_nothing_was_measured():
    samples = np.zeros(1800)
    samples[300:500] = MISSING
    svg = strip(picture(samples))
    left, right = 10 * MM + 300 / RATE * 25 * MM, 10 * MM + 500 / RATE * 25 * MM
    first_piece = svg.split("<svg")[1]
    assert not [p for p in points(first_piece) if left + 1 < p[0] < right - 1]
    assert svg.count('class="missing"') == 1


def test_marks_stand_at_their_beats_and_only_those_of_the_stretch():
    theirs = [Beat(at_s=1.0, group="V"), Beat(at_s=4.0, group="N"), Beat(at_s=99.0, group="S")]
    svg = strip(
        picture(
            np.zeros(1800), theirs=theirs, wrong_s=(1.0,), their_bars=[Bar(start_s=2, end_s=5, name="VF", kind="vt")]
        )
    )
    assert re.findall(r'class="beat (\w)" x="([\d.]+)"', svg) == [
        ("v", f"{10 * MM + 75:.1f}"),
        ("n", f"{0.4 * 75:.1f}"),
    ]
    assert svg.count('class="wrong"') == 1
    assert svg.count('class="bar vt"') == 2  # cut at the seam of the two pieces


def test_what_leaves_the_paper_is_marked():
    samples = np.zeros(1800)
    samples[100:110] = 9000
    assert 'class="clip"' in strip(picture(samples))
    assert 'class="clip"' not in strip(picture(np.sin(np.arange(1800)) * 900))


# --- What deserves a picture ------------------------------------------------------------------------------------------


def test_the_fullest_window_comes_first_and_no_recording_fills_the_page():
    beats = [(400 + n, "N") for n in range(1000)]
    found = []
    for name, missing in (("a", 6), ("b", 3), ("c", 1)):
        notes = reference(beats)
        heard = [beat for n, beat in enumerate(beats) if not 100 <= n < 100 + missing and n not in {300, 500, 700}]
        one = examined(name, qrs={"tp": 1.0})
        one.said = said(beats=heard)
        found.append((one, notes))
    chosen = worst([one for one, _ in found], lambda one: next(notes for other, notes in found if other is one))
    assert chosen[0].examined.record == "a"
    assert chosen[0].sentence == "6 beats missed, 0 made up"
    assert chosen[0].start_s <= 500
    assert chosen[0].start_s + chosen[0].seconds >= 505
    assert max(sum(1 for f in chosen if f.examined.record == name) for name in "abc") <= OF_ONE
    assert len(chosen) <= MOST
    assert [f.weight for f in chosen] == sorted((f.weight for f in chosen), reverse=True)


def test_each_error_of_an_alarm_has_its_sentence():
    lost = Examined(
        task=Task(source="c", collection=Collection.CHALLENGE2015, path=Path("a1"), truth=("Asystole", "1")),
        seconds=180.0, counts={"arrest": {"fn": 1.0}}, answer="refused",
    )  # fmt: skip
    (fault,) = worst([lost], lambda _: None)
    assert fault.sentence == "asystole: a true alarm was refused"
    assert fault.start_s + fault.seconds == pytest.approx(150.0)
