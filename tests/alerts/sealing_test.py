"""Encryption at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.sealing import CannotOpen, Seal, write_secret

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Seal:
    return Seal(tmp_path_factory.mktemp("seal"))


@given(plain=st.binary(max_size=200), at=st.integers(0, 10_000))
def test_it_opens_and_any_changed_bit_does_not(seal: Seal, plain: bytes, at: int) -> None:
    sealed = seal.seal(plain, "here")
    assert seal.open(sealed, "here") == plain
    assert seal.seal(plain, "here") != sealed  # a nonce of its own
    broken = bytearray(sealed)
    broken[at % len(sealed)] ^= 1 << (at % 8)
    with pytest.raises(CannotOpen):
        seal.open(bytes(broken), "here")


def test_bytes_moved_to_another_row_do_not_open(seal: Seal) -> None:
    with pytest.raises(CannotOpen, match="not sealed for there"):
        seal.open(seal.seal(b"x", "here"), "there")
    with pytest.raises(CannotOpen):
        seal.open(b"", "here")


def test_rotation_the_highest_seals_and_all_open(tmp_path: Path) -> None:
    old = Seal(tmp_path).seal(b"x", "p")
    write_secret(tmp_path / "seal-2.key", b"k" * 32)
    both = Seal(tmp_path)
    new = both.seal(b"x", "p")
    assert (old[0], new[0]) == (1, 2)
    assert both.open(old, "p") == both.open(new, "p") == b"x"
    (tmp_path / "seal-1.key").unlink()
    with pytest.raises(CannotOpen, match=r"seal-1\.key back"):
        Seal(tmp_path).open(old, "p")


def test_a_key_file_is_ours_alone_and_never_overwritten(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    Seal(keys)
    assert (keys / "seal-1.key").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        write_secret(keys / "seal-1.key", b"x")
