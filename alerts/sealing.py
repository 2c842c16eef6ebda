"""Encryption at rest of what names people: AES-256-GCM with a key from a file, the key's number in front of the bytes.

A second key file makes a rotation: the highest seals, all of them open. Must never log or show a key.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from pathlib import Path

_FILE = re.compile(r"seal-(\d{1,3})\.key")
_NONCE = 12


class CannotOpen(ValueError):
    """Sealed bytes that no key here opens: the key file is missing, or they were tampered with."""


def write_secret(path: Path, secret: bytes) -> None:
    """A new file that only we can read.

    Raises:
        FileExistsError: it is there; a secret is never overwritten.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


class Seal:
    """Seals and opens bytes for one place; bytes moved to another place do not open there."""

    def __init__(self, keys: Path) -> None:
        """Read the keys of a folder; the first is made where there is none."""
        self._keys = _read(keys)
        if not self._keys:
            with suppress(FileExistsError):  # another process was first
                write_secret(keys / "seal-1.key", AESGCM.generate_key(256))
            self._keys = _read(keys)
        self._newest = max(self._keys)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypted, bound to its place (table, column, row)."""
        nonce = os.urandom(_NONCE)
        header = bytes([self._newest])
        return header + nonce + self._keys[self._newest].encrypt(nonce, plain, header + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What `seal` was given.

        Raises:
            CannotOpen: no such key here, or not sealed for this place.
        """
        number = sealed[0] if sealed else 0
        key = self._keys.get(number)
        if key is None:
            raise CannotOpen(f"sealed with key {number}, which is not here: put seal-{number}.key back")
        try:
            return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1] + place.encode())
        except InvalidTag:
            raise CannotOpen(f"not sealed for {place} with key {number}, or damaged") from None


def _read(keys: Path) -> dict[int, AESGCM]:
    found = {}
    for path in keys.glob("seal-*.key"):
        if (named := _FILE.fullmatch(path.name)) and (content := path.read_bytes()):
            found[int(named[1])] = AESGCM(content)
    return found
