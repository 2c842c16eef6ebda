"""The `[alerts.delivery]` table of tierwatch.toml: how notices leave the house.

Must never hold a secret: the mail server's password and a template's key are files in the data folder's `keys/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.delivery.template import Template

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSettings(BaseModel):
    """`[alerts.delivery.mail]`: the server that takes our mail. Its password lies in `keys/mail.password`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1)]
    """Name of the mail server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Submission: 587 with STARTTLS, 465 with TLS from the first byte."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only to this very machine: what we send is health data."""
    user: str = ""
    """Whom we log in as; empty: no login."""
    sender: Annotated[str, Field(pattern=r"^[!-~]+@[!-~]+$")]
    """The address that mail comes from."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("security 'none' would send health data in the clear: it is for localhost only")
        return self


class DeliverySettings(BaseModel):
    """What channels need to know beside the endpoints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_s: Annotated[float, Field(gt=0, le=8)] = 5.0
    """How long an endpoint may take; a mail server gets the same for each of its steps, and 8 s for all of them."""
    call_back: Annotated[str, Field(max_length=80)] = ""
    """The telephone number of who sends: a dispatcher whose link does not open calls it for a new one."""
    pdf_font: Path | None = None
    """A TrueType font file for the sheet of a record: only with one are letters beyond Latin-1 (as Chinese) written there."""
    mail: MailSettings | None = None
    """Without it there is no channel `email`."""
    templates: dict[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")], Template] = {}
    """Webhooks in another's words, each a channel of its name: SMS, voice, robots of DingTalk and WeCom."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        if taken := sorted({"webhook", "log", "email", "console"} & self.templates.keys()):
            raise ValueError(f"a template cannot be called {', '.join(taken)}: there is such a channel")
        return self
