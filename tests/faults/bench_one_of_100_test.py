"""One of a hundred patients makes the detector raise, another kills its process: both are benched and told, 98 are judged.

Also after a restart; and an operator's word brings a benched patient back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from device_sims.synthetic import Rhythm
from tests.faults.house import House, house, until
from tests.faults.people import quiet

PATIENTS = 100
RAISES, EXITS = "p042", "p017"
SECONDS = 50


def test_one_of_a_hundred() -> None:
    plan = ((Rhythm.SINUS, 20.0), (Rhythm.TACHY, SECONDS - 20.0))
    people = [replace(quiet(n, SECONDS, f"gw-{n % 4}"), plan=plan, pressures=()) for n in range(PATIENTS)]
    everybody = {one.patient for one in people}
    with house() as home:
        home.settle(people, datetime.now(UTC))
        zero = datetime.now(UTC) - timedelta(seconds=SECONDS)
        home.arm("raises", RAISES)
        home.world.do(home.world.hear(people, range(10), zero))
        until(lambda: benched(home) == {RAISES}, f"{RAISES} benched")
        until(lambda: told(home) == {RAISES}, "somebody told")
        home.note(f"{RAISES} benched and told")
        home.receipted()
        before = home.kill("intake")
        home.back("intake", before)
        assert benched(home) == {RAISES}

        home.arm("exits", EXITS)
        home.world.do(home.world.hear(people, range(10, 15), zero))
        until(lambda: benched(home) == {RAISES, EXITS}, f"{EXITS} benched", 120.0)
        until(lambda: told(home) == {RAISES, EXITS}, "somebody told")
        ((starts,),) = home.ask("SELECT count(*) FROM stream.start WHERE child = 'intake'")
        home.note(f"{EXITS} benched and told; intake started {starts} times")
        home.receipted()
        before = home.kill("intake")
        home.back("intake", before)
        assert benched(home) == {RAISES, EXITS}

        home.world.do(home.world.hear(people, range(15, 40), zero))
        home.receipted()
        until(lambda: fast(home) == everybody - {RAISES, EXITS}, "98 judged")
        home.note("98 found to be fast")

        for fault, patient in (("raises", RAISES), ("exits", EXITS)):
            home.disarm(fault)
            home.call("POST", f"/api/v1/bench/{patient}/lift")
        until(lambda: not benched(home), "the bench empty")
        home.world.do(home.world.hear(people, range(40, SECONDS), zero))
        home.receipted()
        home.all_judged()
        assert fast(home) == everybody
        over = home.ask("SELECT count(*) FROM stream.episode WHERE condition = 'detector_failed' AND NOT present")
        assert over == [(2,)]
        assert {lane: (seq, seq) for lane, seq in home.sent().items()} == home.stored()
        assert home.call("GET", "/api/v1/ledger")["unaccounted"] == 0
        home.note("lifted, and judged again")


def benched(home: House) -> set[str]:
    """Who is on the bench, as the API says."""
    return {row["patient"] for row in home.call("GET", "/api/v1/bench")["benched"]}


def told(home: House) -> set[str]:
    """For whom an alert says so."""
    return {
        p
        for (p,) in home.ask("SELECT subject FROM alerts.alert WHERE condition = 'detector_failed' AND tier = 'doctor'")
    }


def fast(home: House) -> set[str]:
    """Who was found to have a fast heart."""
    return {p for (p,) in home.ask("SELECT DISTINCT subject FROM stream.episode WHERE condition = 'tachy'")}
