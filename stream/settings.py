"""The `[stream]` table of tierwatch.toml: where things lie, and which ports are ours.

Only `tierwatch.py` reads the file; everybody else is handed this. Clinical limits are data, never settings.
"""

from __future__ import annotations

from pathlib import Path  # pydantic reads the annotation at run time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

LoopbackPort = Annotated[int, Field(ge=1, le=65535)]


class StreamSettings(BaseModel):
    """What the stream needs to know before it starts; each field is one line of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path | None = None
    """The data folder. Left out: `var` beside the program (for root in a private home: /var/lib/tierwatch)."""
    dsn: str = ""
    """A PostgreSQL of your own, without a password (that goes into a passfile); empty: the embedded one."""
    mqtt_port: LoopbackPort = 1883
    """Where the embedded broker listens, on loopback."""
    shard: Annotated[int, Field(ge=0, le=0)] = 0
    """Which part of the patients this process writes; only 0 for now."""
    numba_cache: Path | None = None
    """Where the compiled detector is kept. Left out: `numba` in the data folder."""
    low_disk_mb: Annotated[int, Field(ge=10)] = 500
    """With less room than this, intake alarms and `tierwatch check` fails."""
    ecg_days: Annotated[int, Field(ge=1)] = 30
    """How long full waveform is kept; readings, findings and alerts are kept for good."""

    @field_validator("dsn")
    @classmethod
    def _no_password(cls, dsn: str) -> str:
        if dsn:
            from psycopg.conninfo import conninfo_to_dict  # only where a DSN was given

            if "password" in conninfo_to_dict(dsn):
                raise ValueError(
                    "no password in this file: put it into a passfile (host:port:database:user:password, mode 0600) "
                    "and name that with passfile=/path/to/it in the dsn"
                )
        return dsn
