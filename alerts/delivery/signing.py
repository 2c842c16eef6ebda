"""Standard Webhooks: signing what goes out, verifying what comes back, and the secrets of each endpoint with their change.

Secrets are lines of a file in `keys/`, newest first: all of them sign and verify, so that a receiver changes its own at
leisure. Must never log or print a secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets as random
from contextlib import suppress
from typing import TYPE_CHECKING

from alerts.sealing import write_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PREFIX = "whsec_"
_NAME = re.compile(r"[a-z0-9_-]{1,40}")
_LONGEST_ID = 200
TOLERANCE_S = 300.0
"""How far a signed moment may be from ours; as in Standard Webhooks."""


class NotSigned(Exception):
    """What came is not signed by the endpoint that it names; the message says what does not fit."""


class NoSecret(LookupError):
    """The endpoint has no secret that could be changed."""


def signatures(secrets: Sequence[str], notice: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one v1 entry a secret, separated by spaces."""
    signed = f"{notice}.{timestamp}.".encode() + body
    entries = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix(_PREFIX))
        entries.append("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
    return " ".join(entries)


def verified(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now_s: float) -> str:
    """The id of a message that one of these secrets signed within the last five minutes. `now_s`: Unix time, real.

    Raises:
        NotSigned: headers are missing, the moment is too far from ours, or no secret fits.
    """
    identity, claimed = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identity or len(identity) > _LONGEST_ID or "." in identity:
        raise NotSigned("webhook-id is missing, holds a full stop, or is longer than 200 characters")
    if not re.fullmatch(r"[0-9]{1,12}", claimed):
        raise NotSigned("webhook-timestamp is no number of seconds since 1970")
    if abs(now_s - int(claimed)) > TOLERANCE_S:
        raise NotSigned("webhook-timestamp is more than five minutes from our clock: signed anew it will do")
    given = [each.encode() for each in headers.get("webhook-signature", "").split(" ")]
    ours = [each.encode() for each in signatures(secrets, identity, int(claimed), body).split()]
    # Every pair is compared, so that time tells nothing.
    if not sum(hmac.compare_digest(mine, theirs) for mine in ours for theirs in given):
        raise NotSigned("webhook-signature fits none of the endpoint's secrets")
    return identity


def secrets_of(keys: Path, endpoint: str) -> list[str]:
    """The current secrets of an endpoint, newest first; empty where nobody has made one."""
    path = _file(keys, endpoint)
    if not _NAME.fullmatch(endpoint) or not path.is_file():
        return []
    return [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]


def ensure_secret(keys: Path, endpoint: str) -> str:
    """The secret of an endpoint, made where there is none: what the receiver must be given.

    Raises:
        ValueError: no name that an endpoint may have.
    """
    if not _NAME.fullmatch(endpoint):
        raise ValueError(f"{endpoint!r} cannot be an endpoint's name: use a-z, 0-9, _ and -")
    if not secrets_of(keys, endpoint):
        with suppress(FileExistsError):  # another process was first
            write_secret(_file(keys, endpoint), f"{_made()}\n".encode())
    return secrets_of(keys, endpoint)[0]


def rotate(keys: Path, endpoint: str) -> int:
    """Put a new secret before the old ones; all sign and verify until `retire`. Returns how many there are now.

    Raises:
        NoSecret: there is none to change.
    """
    known = secrets_of(keys, endpoint)
    if not known:
        raise NoSecret(f"endpoint {endpoint!r} has no secret yet: tierwatch alert secret {endpoint}")
    _replace(keys, endpoint, [_made(), *known])
    return len(known) + 1


def retire(keys: Path, endpoint: str) -> int:
    """Keep the newest secret only; returns how many were given up. What they signed is worth nothing from now on.

    Raises:
        NoSecret: there is none.
    """
    known = secrets_of(keys, endpoint)
    if not known:
        raise NoSecret(f"endpoint {endpoint!r} has no secret yet: tierwatch alert secret {endpoint}")
    _replace(keys, endpoint, known[:1])
    return len(known) - 1


def _made() -> str:
    return _PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def _file(keys: Path, endpoint: str) -> Path:
    return keys / f"webhook-{endpoint}.secrets"


def _replace(keys: Path, endpoint: str, secrets: Sequence[str]) -> None:
    """Whole or not at all: whoever reads meanwhile finds the old file or the new one."""
    path = _file(keys, endpoint)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.unlink(missing_ok=True)
    write_secret(new, "".join(f"{secret}\n" for secret in secrets).encode())
    new.replace(path)
