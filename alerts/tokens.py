"""What opens something by being known: the tokens of sessions and links, and all that the database may know of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

from alerts.sealing import write_secret

if TYPE_CHECKING:
    from pathlib import Path


def new_token() -> str:
    """256 random bits, as they stand in an address or a cookie."""
    return secrets.token_urlsafe(32)


def derived_token(secret_file: Path, of_what: bytes) -> str:
    """256 bits that only the holder of the secret can tell, the same each time: what is sent again says the same.

    The file is made where there is none.

    Raises:
        OSError: it can be neither read nor written.
    """
    if not secret_file.is_file():
        with suppress(FileExistsError):  # another process was first
            write_secret(secret_file, secrets.token_bytes(32))
    return urlsafe_b64encode(hmac.digest(secret_file.read_bytes(), of_what, "sha256")).rstrip(b"=").decode()


def hashed(token: str) -> bytes:
    """What the database knows of a token. It cannot be guessed: a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()
