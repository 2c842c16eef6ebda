"""A folder of recordings is cast: who fibrillates, and who is quiet."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from device_sims.cast import ADA, FIBRILLATES_AT_S, JONAS, LIN
from device_sims.player import beats_between, fibrillation, from_record, is_calm
from device_sims.records import Records, find_records

DATA = Path(os.environ.get("TIERWATCH_DATA") or Path(__file__).parents[3] / "shared" / "data")


def test_without_a_folder_everything_is_synthetic() -> None:
    assert find_records(None) == Records()
    assert Records().wave(ADA.straps[0], 0) is None


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.hea").write_text("nonsense")
    (tmp_path / "broken.atr").write_text("nonsense")
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        find_records(tmp_path)


@pytest.mark.skipif(not (DATA / "vfdb").is_dir(), reason="VFDB is in neither $TIERWATCH_DATA nor ../shared/data")
def test_ada_fibrillates_when_she_should() -> None:
    found = find_records(DATA / "vfdb")
    path, onset_s = found.fibrillating[0]
    ada = found.wave(ADA.straps[0], 0)
    assert ada is not None
    whole = from_record(path)
    first = round((onset_s - FIBRILLATES_AT_S) * whole.rate_hz)
    assert np.array_equal(ada.samples, whole.samples[first : first + len(ada.samples)])
    assert fibrillation(path) is not None
    assert all(fibrillation(quiet) is None and is_calm(quiet) for quiet in found.quiet)


@pytest.mark.skipif(not (DATA / "mitdb").is_dir(), reason="MIT-BIH is in neither $TIERWATCH_DATA nor ../shared/data")
def test_jonas_is_in_atrial_fibrillation_from_the_start_and_the_others_never() -> None:
    found = find_records(DATA / "mitdb")
    jonas, lin = found.wave(JONAS.straps[0], 0), found.wave(LIN.patches[0], 1)
    assert jonas is not None
    assert lin is not None
    path, onset_s, end_s = found.atrial[0]
    assert end_s - onset_s >= 180
    assert np.array_equal(jonas.samples[:100], from_record(path, from_s=onset_s).samples[:100])
    beats, ventricular = beats_between(path, onset_s, onset_s + 60.0)
    assert 60 <= beats <= 110, "so fast that another condition speaks, or too slow to be sure in time"
    assert ventricular == 0
    assert all(is_calm(quiet) and fibrillation(quiet) is None for quiet in found.quiet)
    assert path not in found.quiet
    assert found.wave(ADA.straps[0], 0) is None or fibrillation(found.fibrillating[0][0]) is not None


def test_what_has_annotations_but_no_signal_is_no_recording(tmp_path: Path) -> None:
    for suffix in ("hea", "atr"):
        (tmp_path / f"alone.{suffix}").write_text("")
    with pytest.raises(FileNotFoundError):
        find_records(tmp_path)
