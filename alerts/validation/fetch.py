"""Download of a collection: one polite connection, resumed where it was cut, each file checked before it gets its name.

A file under its own name is whole and has the published checksum; what is not whole yet ends in `.part`. Must never
take a file that fails its checksum, nor write outside of the folder.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from alerts.validation.physionet import CHECKSUMS, RECORDS, BadListing, checksums, wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2

TRIES = 5
"""In a row without a byte of progress, or with a wrong checksum."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
TIMEOUT_S = 30.0
_BLOCK = 1 << 16
_RANGE = re.compile(r"bytes (\d+)-")
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class FetchFailed(RuntimeError):
    """A collection could not be downloaded whole; what is there stays, and the same command goes on from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is."""

    path: str
    """The file at hand."""
    files: int
    """Files done ..."""
    of: int
    """... of so many."""
    received: int
    """Bytes of the file at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a download came to."""

    downloaded: int
    """Files."""
    there_already: int


@dataclass(slots=True, kw_only=True)
class Fetch:
    """One collection on its way into one folder."""

    client: httpx2.Client
    address: str
    """Of the collection, with a slash at its end."""
    folder: Path
    tell: Callable[[Progress], None] = lambda _: None
    wait: Callable[[float], None] = time.sleep

    def run(self) -> Fetched:
        """Download what is not there yet; raises `FetchFailed` with what to do."""
        try:
            sums = checksums(self._text(CHECKSUMS))
        except BadListing as error:
            raise FetchFailed(f"{self.address}: {error}") from error
        records = self._text(RECORDS, is_needed=False)
        paths = wanted(records.splitlines() if records else None, sums)
        if not paths:
            raise FetchFailed(f"{self.address}{CHECKSUMS} names no recording")
        downloaded = 0
        for number, path in enumerate(paths):
            target = self.folder / path
            if not (target.is_file() and _digest(target) == sums[path]):
                self._file(path, target, sums[path], number, len(paths))
                downloaded += 1
            self.tell(Progress(path=path, files=number + 1, of=len(paths), received=0))
        return Fetched(downloaded=downloaded, there_already=len(paths) - downloaded)

    def _text(self, path: str, *, is_needed: bool = True) -> str:
        part = self.folder / f"{path}.listing.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a listing is small, and may be another one than yesterday
        try:
            self._body(path, part, lambda _: None)
        except NotThere as error:
            if is_needed:
                raise FetchFailed(str(error)) from error
            return ""
        text = part.read_text(encoding="utf-8", errors="replace")
        part.unlink()
        return text

    def _file(self, path: str, target: Path, digest: str, number: int, of: int) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        for _ in range(TRIES):
            is_whole = part.is_file() and _digest(part) == digest  # stopped between the last byte and the name
            if not is_whole:
                self._body(path, part, lambda n: self.tell(Progress(path=path, files=number, of=of, received=n)))
            if is_whole or _digest(part) == digest:
                part.replace(target)
                return
            part.unlink()
        raise FetchFailed(
            f"{self.address}{path} came {TRIES} times with a wrong checksum: it was not kept. "
            "Try again later, or tell the publisher."
        )

    def _body(self, path: str, part: Path, received: Callable[[int], None]) -> None:
        """Bytes into `part`, from where it ends; tries again as long as there is progress."""
        import httpx2

        tries, wait_s = 0, FIRST_WAIT_S
        while True:
            before = _size(part)
            try:
                asked_s = self._attempt(path, part, received)
                if asked_s is None:
                    return
                why = "the server asks to wait"
            except httpx2.TransportError as error:
                asked_s, why = 0.0, f"{type(error).__name__}: {error}"
            if _size(part) > before:
                tries, wait_s = 0, FIRST_WAIT_S
            tries += 1
            if tries >= TRIES:
                raise FetchFailed(
                    f"{self.address}{path} could not be read ({why}). What is there stays: the same command goes on from it."
                )
            self.wait(min(max(asked_s, wait_s), LONGEST_WAIT_S))
            wait_s *= 2

    def _attempt(self, path: str, part: Path, received: Callable[[int], None]) -> float | None:
        """One request. None: the body is complete; seconds: the server wants to be asked again later."""
        start = _size(part)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self.client.stream("GET", self.address + path, headers=headers) as reply:
            if reply.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                if start == 0:
                    raise NotThere(f"{self.address}{path} answers {reply.status_code}")
                part.unlink()  # there is nothing after what we have: it is whole, or wrong; asked for anew
                return 0.0
            if reply.status_code in _PASSING or reply.is_server_error:
                return _seconds(reply.headers.get("Retry-After", ""))
            if not reply.is_success:
                raise NotThere(
                    f"{self.address}{path} answers {reply.status_code}: is the address right, and open without a login?"
                )
            goes_on = _RANGE.match(reply.headers.get("Content-Range", ""))
            is_rest = reply.status_code == HTTPStatus.PARTIAL_CONTENT and goes_on and int(goes_on[1]) == start
            with part.open("ab" if is_rest else "wb") as file:
                for block in reply.iter_bytes(_BLOCK):
                    file.write(block)
                    received(file.tell())
        return None


class NotThere(FetchFailed):
    """The server has no such file, or not for everybody."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seconds(retry_after: str) -> float:
    """What a server asks for in seconds; a date is not understood and waits as ever."""
    return float(retry_after) if retry_after.isdecimal() else 0.0
