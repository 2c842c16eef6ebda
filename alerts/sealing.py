"""Encryption at rest of what names people: AES-256-GCM with a key from a file, the key's number in front of the bytes.

The highest key seals, all of them open. A key that another process adds or retires (`tierwatch keys`) is taken up while
running. Must never log or show a key.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from pathlib import Path

_FILE = re.compile(r"seal-(\d{1,3})\.key")
_NONCE = 12
_MOST = 255
RETIRED = "retired"
"""Folder of keys that open nothing any more but backups of before."""


class CannotOpen(ValueError):
    """Sealed bytes that no key here opens: the key file is missing, or they were tampered with."""


def write_secret(path: Path, secret: bytes) -> None:
    """A new file that only we can read.

    Raises:
        FileExistsError: it is there; a secret is never overwritten.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")  # nobody reads half a secret
    handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        os.link(whole, path)
    finally:
        whole.unlink()


class Seal:
    """Seals and opens bytes for one place; bytes moved to another place do not open there."""

    def __init__(self, keys: Path) -> None:
        """Read the keys of a folder; the first is made where there is none."""
        self._folder = keys
        self._ring = _Ring(keys)
        if not self._ring.keys:
            with suppress(FileExistsError):  # another process was first
                write_secret(keys / _name(1), AESGCM.generate_key(256))
            self._ring = _Ring(keys)

    @property
    def newest(self) -> int:
        """Number of the key that seals now."""
        return max(self._fresh().keys)

    def add_key(self) -> int:
        """A new key, which seals from now on, in every process; returns its number.

        Raises:
            FileExistsError: another process was first.
            OverflowError: a number is one byte, and there are 255 already.
        """
        number = self.newest + 1
        if number > _MOST:
            raise OverflowError(f"there are keys up to number {_MOST}, and a number is one byte")
        write_secret(self._folder / _name(number), AESGCM.generate_key(256))
        return number

    def retire_old(self) -> list[int]:
        """Put all keys but the newest aside, into `retired/`, where they are not used; returns their numbers."""
        newest, aside = self.newest, self._folder / RETIRED
        aside.mkdir(mode=0o700, exist_ok=True)
        old = sorted(number for number in self._fresh().keys if number != newest)
        for number in old:
            (self._folder / _name(number)).rename(aside / _name(number))
        return old

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypted, bound to its place (table, column, row)."""
        ring = self._fresh()
        newest, nonce = max(ring.keys), os.urandom(_NONCE)
        header = bytes([newest])
        return header + nonce + ring.keys[newest].encrypt(nonce, plain, header + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What `seal` was given.

        Raises:
            CannotOpen: no such key here, or not sealed for this place.
        """
        number = sealed[0] if sealed else 0
        key = self._ring.keys.get(number) or _Ring(self._folder).keys.get(number)
        if key is None:
            raise CannotOpen(f"sealed with key {number}, which is not here: put {_name(number)} back")
        try:
            return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1] + place.encode())
        except InvalidTag:
            raise CannotOpen(f"not sealed for {place} with key {number}, or damaged") from None

    def _fresh(self) -> _Ring:
        """The keys as they lie there now; those read last, where the folder cannot be read."""
        with suppress(OSError):
            if self._folder.stat().st_mtime_ns != self._ring.read_at:
                again = _Ring(self._folder)
                self._ring = again if again.keys else self._ring
        return self._ring


class _Ring:
    """The keys of a folder, at one moment."""

    def __init__(self, folder: Path) -> None:
        self.read_at = folder.stat().st_mtime_ns if folder.is_dir() else 0  # before the files: a later one shows
        self.keys = {}
        for path in folder.glob("seal-*.key"):
            with suppress(FileNotFoundError):  # retired just now
                if (named := _FILE.fullmatch(path.name)) and (content := path.read_bytes()):
                    self.keys[int(named[1])] = AESGCM(content)


def _name(number: int) -> str:
    return f"seal-{number}.key"
