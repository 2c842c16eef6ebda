"""What a witness of the demo counts as told, and what it says of what was not; the demo itself runs in `demo_test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from device_sims import guests, witness
from device_sims.packet import NEEDED, lacks
from device_sims.showing import DATA_VARIABLE, NoRecords, recordings
from device_sims.witness import STEPS, Sight

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

LOW: Row = {"alert": "a", "subject": "sofia", "condition": "glucose_low", "kind": "physiological", "tier": "tip"}
AF: Row = {"alert": "b", "subject": "jonas", "condition": "af", "kind": "physiological", "tier": "doctor"}
VF: Row = {
    "alert": "c", "subject": "ada", "condition": "vf", "kind": "physiological", "tier": "emergency", "state": "taken",
    "answered_by": "dispatch", "answered_name": "dispatch",
}  # fmt: skip
OFF: Row = {"alert": "d", "subject": "lin-xiao", "condition": "lead_off", "kind": "technical", "tier": "tip"}
LINE: Row = {"alert_id": "c", "verified": True, "status": 200, "lacks": [], "at": "2026-11-24T08:00:00+00:00"}
TOLD = {"notices": [{"person": "patient", "status": "delivered"}]}


def whole() -> Sight:
    """Everything that has to be seen."""
    own = {name: row for name, row in VF.items() if name != "subject"}
    return Sight(
        pages={
            "sofia": {"a": LOW},
            "doctor": {row["alert"]: row for row in (LOW, AF, VF, OFF)},
            "ada": {"c": own},
            "lin": {"d": {name: value for name, value in OFF.items() if name != "subject"}},
        },
        dispatch=[LINE],
        alerts={"d": TOLD, "c": {"history": []}},
    )


def unseen(sight: Sight) -> set[str]:
    return {step.name for step in STEPS if not step.seen(sight)}


def test_a_whole_story_lacks_nothing() -> None:
    assert unseen(whole()) == set()


# A row is one thing that goes wrong, and which step must then be missed.
@pytest.mark.parametrize(
    ("page", "alert", "change", "missed"),
    [
        ("sofia", "a", None, {"TIP to the patient"}),  # the console has it, the patient has not
        ("sofia", "a", {"kind": "technical"}, {"TIP to the patient"}),  # "sensor warms up" is no tip
        ("doctor", "b", {"tier": "tip"}, {"DOCTOR on the console"}),  # a candidate is no diagnosis
        ("doctor", "b", {"subject": "ada"}, {"DOCTOR on the console"}),
        ("lin", "d", None, {"technical alert to the wearer"}),
        ("doctor", "c", {"state": "sounding"}, {"acceptance on the alert"}),
        ("ada", "c", {"answered_name": None}, {"acceptance visible to the patient"}),
        ("ada", "c", None, {"acceptance visible to the patient"}),
    ],
)
def test_what_was_not_told_is_missed(page: str, alert: str, change: Row | None, missed: set[str]) -> None:
    sight = whole()
    shown = dict(sight.pages[page])
    row = shown.pop(alert)
    sight.pages[page] = shown if change is None else shown | {alert: row | change}
    assert unseen(sight) == missed


@pytest.mark.parametrize(
    "line",
    [
        LINE | {"verified": False},  # nobody knows who sent it
        LINE | {"status": 500},  # the centre did not take it
        LINE | {"alert_id": "b"},  # another alert
        LINE | {"lacks": ["door_code"]},  # the ambulance stands before a locked door
    ],
)
def test_an_emergency_counts_only_verified_and_whole(line: Row) -> None:
    sight = whole()
    sight.dispatch = [line]
    assert unseen(sight) == {"EMERGENCY at the dispatch centre"}


def test_a_notice_that_was_not_delivered_told_nobody() -> None:
    for notice in ({"person": "patient", "status": "waiting"}, {"person": "operator", "status": "delivered"}):
        sight = whole()
        sight.alerts["d"] = {"notices": [notice]}
        assert unseen(sight) == {"technical alert to the wearer"}


def test_after_a_rejection_no_acceptance_is_waited_for() -> None:
    sight = whole()
    sight.pages["doctor"] = sight.pages["doctor"] | {"c": VF | {"state": "sounding", "answered_by": None}}
    assert not any(step.hopeless(sight) for step in STEPS)
    sight.alerts["c"] = {"history": [{"what": "rejected"}]}
    assert {step.name: step.hopeless(sight) for step in STEPS if step.hopeless(sight)} == {
        "acceptance on the alert": "the dispatch centre has rejected it",
        "acceptance visible to the patient": "the dispatch centre has rejected it",
    }


def test_the_log_of_another_run_is_not_this_one(tmp_path: Path) -> None:
    log = tmp_path / "dispatch.jsonl"
    old = LINE | {"at": "2026-11-24T07:00:00+00:00"}
    log.write_text("\n".join([json.dumps(old), json.dumps(LINE), '{"half":']), encoding="utf-8")
    assert witness._lines(log, "2026-11-24T07:30:00+00:00") == [LINE]
    assert witness._lines(tmp_path / "none", "") == []


def test_what_a_packet_lacks() -> None:
    record = {name: ["something"] for name in NEEDED} | {"implants": []}
    data = {"record": record, "strip": "<svg/>", "reason": {"en": "why", "zh": "为何"}}
    assert lacks({"data": data}) == (), "none is an answer"
    assert lacks({"data": data | {"record": record | {"door_code": "unknown", "phones": None}}}) == (
        "door_code",
        "phones",
    )
    assert lacks({"data": data | {"strip": "unknown", "reason": "why"}}) == ("strip", "reason")
    assert lacks({}) == (*NEEDED, "strip", "reason")


def test_the_table_of_guests_shows_each_once() -> None:
    passes = [guests.Pass(guest=guest, password=f"secret-{guest.login}") for guest in guests.GUESTS]
    lines = guests.shown(passes, "http://127.0.0.1:8080")
    assert lines[0].startswith("Sign in at http://127.0.0.1:8080/sign-in")
    for one in passes:
        (line,) = [line for line in lines if one.password in line]
        assert one.guest.login in line
        assert one.guest.page in line
    assert "secret" not in repr(passes)


def test_recordings_are_those_asked_for_else_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    assert recordings(None) is None
    with pytest.raises(NoRecords, match="is no folder"):
        recordings(tmp_path / "nowhere")
    with pytest.raises(NoRecords, match="holds no WFDB record"):
        recordings(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert recordings(None) is None, "a folder without recordings is no reason not to start"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.atr").touch()
    assert recordings(None) == recordings(tmp_path) == tmp_path.resolve()
