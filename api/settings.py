"""The `[api]` table of tierwatch.toml.

Must never hold a secret: tokens are files in the data folder's `keys/`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ApiSettings(BaseModel):
    """What the API needs to know before it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Where it listens. Loopback unless a proxy with TLS stands before it."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """The same."""
    public_url: Annotated[str, Field(pattern=r"^(https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)?$")] = ""
    """Where the pages are seen from outside, as https://tierwatch.practice.example: links of letters and of
    emergencies lead there. Empty: no links; a letter says to sign in, an emergency says why there is none."""
    page: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many rows a list gives at most."""
    ready_lag_s: Annotated[float, Field(gt=0)] = 10.0
    """`/readyz` says no when the newest tick is older than this."""
    emergency_number: Annotated[str, Field(pattern=r"^[0-9+*#]{2,16}$")] = "112"
    """What patients call when it is serious: 112, 120, 911, as it is where they live."""
    practice_name: Annotated[str, Field(max_length=80)] = ""
    """Beside its number on patients' pages; empty: "the practice"."""
    practice_phone: Annotated[str, Field(pattern=r"^(\+?[0-9 ()/-]{3,30})?$")] = ""
    """The practice's number, as patients call it; empty: no button."""
