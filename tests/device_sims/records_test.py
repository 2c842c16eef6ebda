"""A folder of recordings is cast: who fibrillates, and who is quiet."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from device_sims.cast import ADA, FIBRILLATES_AT_S, LIN
from device_sims.player import fibrillation, from_record
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
def test_ada_fibrillates_when_she_should_and_the_others_never() -> None:
    found = find_records(DATA / "vfdb")
    path, onset_s = found.fibrillating[0]
    ada, lin = found.wave(ADA.straps[0], 0), found.wave(LIN.patches[0], 1)
    assert ada is not None
    assert lin is not None
    whole = from_record(path)
    first = round((onset_s - FIBRILLATES_AT_S) * whole.rate_hz)
    assert np.array_equal(ada.samples, whole.samples[first : first + len(ada.samples)])
    assert fibrillation(path) is not None
    assert all(fibrillation(quiet) is None for quiet in found.quiet)
    assert len(found.quiet) + len(found.fibrillating) == len(list((DATA / "vfdb").glob("*.hea")))
