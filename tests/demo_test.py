"""`tierwatch demo --story`, for real: every child, every virtual wearable, and people at their pages. It must be able to fail."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import demo_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEED = "4"
PATIENCE_S = 500.0
"""A first start compiles the detector, on a machine that has other things to do."""


@pytest.fixture
def place() -> Iterator[Path]:
    with demo_place.place() as found:
        yield found


def story(place: Path, dispatch: str) -> subprocess.CompletedProcess[str]:
    """Run it on free ports, with a dispatch centre that answers so."""
    demo_place.settle(place, dispatch, 0)
    words = ["demo", "--story", "--data", str(place / "data"), "--speed", SPEED, "--within", "200"]
    return subprocess.run(
        [sys.executable, "-m", "tierwatch", *words],
        cwd=place,
        env=demo_place.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_each_person_is_told(place: Path) -> None:
    done = story(place, "accept")
    assert done.returncode == 0, done.stdout + done.stderr
    for step in (
        "TIP to the patient: glucose_low on Sofia's page",
        "EMERGENCY at the dispatch centre: vf of ada: signature verified, record whole",
        "acceptance on the alert: answered by dispatch",
        "acceptance visible to the patient: on Ada's page",
        "DOCTOR on the console: af of jonas",
        "technical alert to the wearer: lead_off on Lin's page",
        "Each person was told.",
    ):
        assert step in done.stdout, done.stdout
    assert "MISSING" not in done.stdout


def test_a_dispatch_centre_that_rejects_is_a_story_not_told(place: Path) -> None:
    done = story(place, "reject")
    assert done.returncode == 1, done.stdout + done.stderr
    missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    assert missing == [
        "MISSING   acceptance on the alert: the dispatch centre has rejected it",
        "MISSING   acceptance visible to the patient: the dispatch centre has rejected it",
    ], done.stdout
    assert "Not everybody was told" in done.stdout
