"""`tierwatch sims`: what it prints reads back, and what is wrong is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from device_sims.commands import app
from gateway.codecs import polar_pmd
from gateway.codecs.characteristics import decoder_of

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_played_decodes() -> None:
    result = CliRunner().invoke(app, ["sims", "play", "sinus:4", "--seconds", "3.5"])
    assert result.exit_code == 0, result.output
    heard = [line.split() for line in result.output.splitlines()]
    moments = [float(line[0]) for line in heard]
    assert moments == sorted(moments)
    assert moments[-1] <= 3.5
    frames = [decoder_of(line[2])(bytes.fromhex(line[3])) for line in heard if line[2] == polar_pmd.DATA]
    assert len(frames) == int(3.5 * 130.17 / 73)


@pytest.mark.parametrize("source", ["waltz:3", "no/such/record"])
def test_what_cannot_be_played_is_named(source: str) -> None:
    result = CliRunner().invoke(app, ["sims", "play", source])
    assert result.exit_code == 2
    assert source in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_without_a_secret_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.secrets"
    path.write_text("\n")
    result = CliRunner().invoke(app, ["sims", "dispatch", str(path)])
    assert result.exit_code == 2
    assert "empty.secrets" in result.stderr
