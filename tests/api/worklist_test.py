"""The morning's worklist: what is on it and in which group, by itself and over HTTP, and as a page that is worked through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest
from playwright.sync_api import expect

from alerts.alert import State, Tier
from api import worklist
from api.worklist import Group, Step
from stream.finding import Condition
from tests.api.browsing import WAIT_MS, Complaints, opened, see, sign_in, state_of
from tests.api.served import Site

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ME = frozenset({"doctor", "lin"})


def alert(**more: Any) -> dict[str, Any]:
    return {
        "alert": uuid4(), "subject": "ada", "kind": "physiological", "condition": "af", "tier": "doctor", "past": False,
        "state": "sounding", "inhibited_by": None, "answered_by": None, "evidence": None,
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "group", "step"),
    [
        ({}, Group.DECIDE, Step.DECIDE),
        ({"state": "taken", "answered_by": "doctor"}, Group.DECIDE, Step.FINISH),
        ({"state": "held", "answered_by": "lin"}, Group.DECIDE, Step.FINISH),
        ({"state": "taken", "answered_by": "nurse"}, None, None),
        ({"inhibited_by": uuid4()}, None, None),
        ({"tier": "emergency"}, None, None),
        ({"tier": "emergency", "state": "latched"}, Group.REVIEW, Step.DECIDE),
        ({"tier": "emergency", "state": "settled", "answered_by": "doctor"}, Group.REVIEW, Step.FINISH),
        ({"past": True}, Group.REVIEW, Step.DECIDE),
        ({"tier": "tip"}, None, None),
        ({"kind": "technical", "tier": "tip", "condition": "battery_low"}, Group.TECHNICAL, Step.MEND),
        ({"kind": "technical", "condition": "dead_letter", "evidence": {"notice": "n"}}, Group.UNDELIVERED, Step.SEND),
    ],
)
def test_each_open_alert_stands_in_its_group_with_its_next_step(
    row: dict[str, Any], group: Group | None, step: Step | None
) -> None:
    found = worklist.of_alerts([alert(**row)], ME, frozenset())
    assert [(one["group"], one["step"]) for one in found] == ([] if group is None else [(group, step)])


def test_a_tip_that_nobody_answered_is_told_apart() -> None:
    row = alert()
    (found,) = worklist.of_alerts([row], ME, {row["alert"]})
    assert (found["group"], found["step"]) == (Group.ESCALATED, Step.ASK)


def test_nothing_that_nobody_has_is_left_out() -> None:
    """Whatever is open and unanswered is on the list, but for what speaks elsewhere: emergencies that go on, and tips."""
    for tier in Tier:
        for state in State:
            for kind in ("physiological", "technical"):
                row = alert(tier=str(tier), state=str(state), kind=kind)
                elsewhere = kind == "physiological" and (tier is Tier.TIP or worklist.is_going_on(row))
                is_on = bool(worklist.of_alerts([row], ME, frozenset()))
                assert is_on == (state in {State.SOUNDING, State.LATCHED} and not elsewhere), (tier, state, kind)


def test_silence_counts_from_a_day_and_not_where_nothing_is_expected() -> None:
    last = {"ada": NOW - timedelta(hours=23), "otto": NOW - timedelta(hours=25), "wei": None, "gone": None,
            "old": NOW - timedelta(days=9)}  # fmt: skip
    found = worklist.of_silence(last, {"gone"}, NOW)
    assert [(one["patient"], one["since"]) for one in found] == [
        ("wei", None), ("old", NOW - timedelta(days=9)), ("otto", NOW - timedelta(hours=25))]  # fmt: skip


def silent(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO stream.assignment (device, patient, from_at, position, ord)"
            " VALUES ('h10', 'wei', now() - interval '3 days', 1, 0)"
        )


def test_the_list_is_worked_through_and_done_ones_are_gone(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    silent(dsn)
    decide = site.alert("otto", Condition.AF)
    site.alert("otto", Condition.BATTERY_LOW)
    site.alert("ada", Condition.VF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    page.wait_for_url("**/console")
    page.click(".topbar__nav >> text=Worklist")
    see(page, ".work__head", "3 things need a decision.")
    see(page, ".work__now", "Emergencies that go on: 1")
    see(page, "[aria-labelledby=group-silent]", "样本伟")
    item = page.locator(f"[data-key='{decide}']")
    item.locator("[data-act=take]").click()
    expect(item).to_contain_text("You have it", timeout=WAIT_MS)
    see(page, "#undo", "Undo")
    item.locator("[data-act=close]").click()
    page.click("text=True, no action needed")
    page.keyboard.press("Enter")
    expect(item).to_have_count(0, timeout=WAIT_MS)
    see(page, ".work__head", "2 things need a decision.")
    assert state_of(dsn, decide)["outcome"] == "resolved"
    site.alert("wei", Condition.AF)
    see(page, ".work__head", "3 things need a decision.")  # by itself
    page.click("[data-act=console] >> nth=0")
    page.wait_for_url("**/console")
    see(page, ".alert h2", "fibrillation")


def test_one_that_another_took_says_who_and_stays_until_the_list_is_read(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    taken = site.alert("otto", Condition.AF)
    page = sign_in(opened(browser, site.url, complaints), "lin")
    page.wait_for_url("**/console")
    page.goto(f"{site.url}/worklist")
    see(page, ".work__head", "One thing needs a decision.")
    held: list[Any] = []
    page.route("**/accept", lambda route: held.append(route))  # noqa: PLW0108 - a builtin has no place for its mark
    page.click("[data-act=take]")
    token = (site.keys / "api-operator.token").read_text().strip()
    told = httpx2.post(f"{site.url}/api/v1/alerts/{taken}/accept", headers={"authorization": f"Bearer {token}"},
                       json={"who": "nurse"}, trust_env=False)  # fmt: skip
    assert told.status_code == 200
    held[0].continue_()
    see(page, ".work__head", "1 more are with others.")
    assert state_of(dsn, taken)["answered_by"] == "nurse"


def test_closed_alerts_are_listed_page_by_page_with_how_they_ended_and_by_whom(
    browser: Any, site: Site, dsn: str, complaints: Complaints
) -> None:
    token = {"authorization": f"Bearer {(site.keys / 'api-operator.token').read_text().strip()}"}
    ids = [site.alert(subject, Condition.AF) for subject in ("ada", "otto", "wei")]
    with httpx2.Client(base_url=f"{site.url}/api/v1", headers=token, trust_env=False) as client:
        for one in ids:
            ending = {"who": "doctor", "outcome": "false_alarm", "note": "another rhythm: flutter"}
            client.post(f"/alerts/{one}/close", json=ending)
        first = client.get("/closed", params={"limit": 2}).json()
        second = client.get("/closed", params={"limit": 2, "before": first["next"]}).json()
        assert [one["alert"] for one in first["alerts"] + second["alerts"]] == ids[::-1]
        assert second["next"] is None
        assert client.get("/closed", params={"before": "x"}).status_code == 422
        with psycopg.connect(dsn) as conn:
            conn.execute(
                "UPDATE alerts.alert SET closed_at = now() - interval '3 days' WHERE alert = %s", (UUID(ids[0]),)
            )
        assert [one["alert"] for one in client.get("/closed").json()["alerts"]] == [ids[2], ids[1]]
    page = sign_in(opened(browser, site.url, complaints), "lin")
    see(page, ".list__closed", "False: another rhythm: flutter. Dr Lin")  # nothing is open
    page.click("[data-filter=closed]")
    expect(page.locator("#list .row")).to_have_count(2, timeout=WAIT_MS)
    page.click("text=7 days")
    expect(page.locator("#list .row")).to_have_count(3, timeout=WAIT_MS)
    page.keyboard.press("j")
    see(page, ".alert .notice", "flutter. Dr Lin. This alert is closed")
    expect(page.locator("[data-act=take]")).to_have_count(0)
