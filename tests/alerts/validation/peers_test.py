"""Other people's detectors: each finds the beats of a clean minute; what is not installed is named, not run."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import wfdb

from alerts.validation import examine, peers
from alerts.validation.collection import Collection
from alerts.validation.figures import figures_of
from stream.recording import MISSING, open_record


@pytest.mark.parametrize("name", peers.PEERS)
def test_each_finds_the_beats_of_a_clean_minute(records, name):
    if find_spec(peers.PEERS[name].package) is None:
        pytest.skip(f"{peers.PEERS[name].package} is not installed")
    lead = open_record(records / "mitdb" / "101").leads[0]
    minute = lead.samples[: 60 * 360].copy()
    minute[20 * 360 : 20 * 360 + 30] = MISSING
    found, took = peers.beats_by(name, replace(lead, samples=minute), 360.0)
    notes = wfdb.rdann(str(records / "mitdb" / "101"), "atr", sampto=60 * 360)
    beats = notes.sample[np.isin(notes.symbol, ["N", "A"])]
    near = np.abs(found[None, :] - beats[:, None]).min(axis=1) <= 54
    assert near.mean() > 0.9
    assert found.size <= beats.size + 3
    assert took > 0


def test_what_is_not_installed_is_named_and_left_out(monkeypatch):
    nobody = peers.Peer(package="a_package_of_nobody", detect=lambda _signal, _rate: [])
    monkeypatch.setattr(peers, "PEERS", {"nobody": nobody})
    monkeypatch.setattr(examine, "PEERS", {"nobody": nobody})
    assert peers.absent() == ["nobody"]
    assert examine.known_peers(True) == ()


def test_a_peer_that_fails_has_found_nothing_and_costs_nothing_else(records, monkeypatch):
    def fails(_signal, _rate):
        raise IndexError("no peak at all")

    monkeypatch.setitem(peers.PEERS, "brittle", peers.Peer(package="wfdb", detect=fails))
    task = examine.Task(source="mitdb", collection=Collection.MITDB, path=records / "mitdb" / "101", peers=("brittle",))
    one = examine.examine(task)
    assert one.counts["qrs"]["tp"] > 1500
    assert one.counts["qrs:brittle"]["tp"] == 0
    assert "brittle failed" in one.remark
    assert not one.error
    assert {f.who for f in figures_of([one]) if f.section == "Beats (QRS)"} == {"tierwatch", "brittle"}
