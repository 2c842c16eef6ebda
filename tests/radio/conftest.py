"""The virtual air as fixtures: `stack` is each way to it in turn, `fake` the fake bluetoothd only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("bumble", reason="bumble is not installed (extra `radio`)")
pytest.importorskip("bleak", reason="bleak is not installed (extra `gateway`)")

from device_sims.radio.bluez.daemon import Habits
from tests.radio.stacks import Stack, direct, fakebluez

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=["direct", "fakebluez"])
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[Stack]:
    """Both ways, one after the other."""
    async with direct() if request.param == "direct" else fakebluez() as it:
        yield it


@pytest.fixture
async def fake() -> AsyncIterator[Stack]:
    """The fake bluetoothd only."""
    async with fakebluez(Habits(connect_s=2.0)) as it:
        yield it
