"""What an operator may set for a gateway: the table `[gateway]` of tierwatch.toml. Read by `tierwatch.py` only.

Secrets are files, named here and never held here. Clinical values are no settings.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.topics import checked_client


class GatewaySettings(BaseModel):
    """Eight settings; an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: str = "gateway-1"
    """Client id: 1 to 64 of A-Z a-z 0-9 _ : -"""
    shard: int = Field(default=0, ge=0)
    """Handed out at enrolment with the topic prefix."""
    broker_host: str = "127.0.0.1"
    broker_port: int = Field(default=1883, ge=1, le=65535)
    password_file: Path | None = None
    """File with the MQTT password; the user is the client id. None on mutual TLS, or on an open loopback broker."""
    tls_folder: Path | None = None
    """Folder with ca.pem, client.pem and client.key; needed anywhere but on loopback."""
    outbox: Path = Path("gateway/outbox.db")
    """The outbox's file, relative to the data folder."""
    ring_mb: int = Field(default=256, ge=1)
    """Above this the oldest waveform is given up, and reported; readings never are."""

    @field_validator("client")
    @classmethod
    def _client(cls, value: str) -> str:
        return checked_client(value)
