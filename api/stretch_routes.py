"""ECG of a patient by time: as JSON, binary, SVG, PDF, WFDB and EDF+, one lead at a time.

A gap stays a gap in each. Must never be kept by a cache: it is a person's record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from alerts import strip_svg
from alerts.stretches import Stretch, stretch
from alerts.strip_svg import Tracing
from api import ecg_files, ecg_pdf, roster
from api.access import Asker, may
from api.ecg_json import i16le
from api.house import Here, Row
from api.people_routes import Id
from api.problem import Problem
from api.rights import Right

router = APIRouter(prefix="/api/v1/patients/{patient}", tags=["patients"])
ON_PAPER_S, AT_ONCE_S, AS_FILE_S = 600.0, 3600.0, 86_400.0
"""The longest stretch of a picture, of JSON, and of a file."""
SVG, PDF, BINARY, ZIP, EDF = (
    "image/svg+xml",
    "application/pdf",
    "application/octet-stream",
    "application/zip",
    "application/edf",
)
_YEARS = (1985, 2084)
"""What EDF+ can say; nothing was measured before, nor will be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which stretch is meant; 403 for whoever may not see it."""

    patient: str
    from_at: datetime
    to_at: datetime
    lead: str | None
    house: Any

    def read(self, most_s: float) -> Stretch:
        """The stretch: 422 where it is none or too long, 404 where nothing is stored of it."""
        if not all(_YEARS[0] <= one.year <= _YEARS[1] for one in (self.from_at, self.to_at)):
            raise Problem(422, f"`from` and `to` lie between the years {_YEARS[0]} and {_YEARS[1]}")
        seconds = (self.to_at - self.from_at).total_seconds()
        if not 0 < seconds <= most_s:
            raise Problem(
                422, f"`to` must be after `from`, and at most {most_s:g} s after it: ask for parts, one at a time"
            )
        with self.house.transaction() as conn:
            found = stretch(conn, self.patient, self.from_at.astimezone(UTC), self.to_at.astimezone(UTC), self.lead)
        if found is None:
            raise Problem(404, "no ECG of this lead is stored there" if self.lead else "no ECG is stored there")
        return found


def _asked(
    patient: Id,
    house: Here,
    _asker: Annotated[Asker, may(Right.SEE)],
    from_at: Annotated[AwareDatetime, Query(alias="from", description="Of the first sample.")],
    to_at: Annotated[AwareDatetime, Query(alias="to", description="Behind the last sample.")],
    lead: Annotated[str | None, Query(max_length=40, description="Left out: the one of which there is most.")] = None,
) -> Asked:
    return Asked(patient=patient, from_at=from_at, to_at=to_at, lead=lead, house=house)


Which = Annotated[Asked, Depends(_asked)]


@router.get("/ecg")
def as_json(asked: Which) -> Row:
    """At most an hour: base64 of int16 little-endian microvolts, -32768 where there is no sample; and the known beats."""
    found = asked.read(AT_ONCE_S)
    return {
        "at": found.from_at,
        "seconds": found.samples.size / found.rate_hz,
        "rate_hz": found.rate_hz,
        "lead": found.lead,
        "device": found.device,
        "i16le": i16le(found.samples),
        "beats": [{"at_s": round(one.at_s, 3), "class": one.kind} for one in found.beats],
    }


def _of(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


def _file(found: Stretch, body: bytes, kind: str, ending: str) -> Response:
    name = f"ecg-{found.from_at:%Y%m%dT%H%M%SZ}.{ending}"
    headers = {"cache-control": "private, no-store", "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)


@router.get("/ecg.bin", response_class=Response, responses=_of(BINARY))
def as_binary(asked: Which) -> Response:
    """At most a day: int16 little-endian; the headers name rate, first time, unit and the value of a missing sample."""
    found = asked.read(AS_FILE_S)
    answer = _file(found, found.samples.astype("<i2").tobytes(), BINARY, "bin")
    answer.headers["ecg-rate-hz"] = f"{found.rate_hz:g}"
    answer.headers["ecg-from"] = found.from_at.isoformat()
    answer.headers["ecg-unit"] = "uV"
    answer.headers["ecg-missing"] = "-32768"
    return answer


@router.get("/ecg.svg", response_class=Response, responses=_of(SVG))
def as_svg(asked: Which) -> Response:
    """At most ten minutes on paper, 25 mm/s and 10 mm/mV."""
    found = asked.read(ON_PAPER_S)
    tracing = Tracing(
        samples=found.samples, rate_hz=found.rate_hz, from_at=found.from_at, lead=found.lead, onset_s=-1.0
    )
    return _file(found, strip_svg.draw(tracing, largest=None).encode(), SVG, "svg")


@router.get("/ecg.pdf", response_class=Response, responses=_of(PDF))
def as_pdf(asked: Which) -> Response:
    """At most ten minutes on A4 pages, 25 mm/s and 10 mm/mV when printed at 100 %."""
    found = asked.read(ON_PAPER_S)
    with asked.house.transaction() as conn:
        person = roster.read(conn, asked.patient, asked.house.seal)
    who = ", ".join(one for one in (person.name, person.birth_date, f"id {asked.patient}") if one)
    return _file(found, ecg_pdf.pdf(found, who), PDF, "pdf")


@router.get("/ecg.zip", response_class=Response, responses=_of(ZIP))
def as_wfdb(asked: Which) -> Response:
    """At most a day as a WFDB record in a zip: format 16, a gap is its missing value, known beats in `ecg.atr`."""
    found = asked.read(AS_FILE_S)
    return _file(found, ecg_files.wfdb_zip(found), ZIP, "zip")


@router.get("/ecg.edf", response_class=Response, responses=_of(EDF))
def as_edf(asked: Which) -> Response:
    """At most a day as EDF+: known beats and gaps ("no signal") are annotations. 422 where the rate is no whole number."""
    found = asked.read(AS_FILE_S)
    try:
        body = ecg_files.edf(found)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    return _file(found, body, EDF, "edf")
