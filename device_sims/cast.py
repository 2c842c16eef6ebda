"""Who lives in the demo's world: invented people, what they wear, and what will happen to them. Data, nothing else.

Nobody here exists. Names in Chinese and English, since every page and message has to carry both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from device_sims.cuff import Measurement
from device_sims.synthetic import Plan, Rhythm
from gateway.codecs.blood_pressure import CuffStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

FIBRILLATES_AT_S = 40.0
"""When Ada's heart begins to fibrillate, in seconds of the world."""
COMES_OFF_AT_S, STUCK_ON_AT_S = 12.0, 100.0
"""When Lin's patch comes off, and when it is put on again: longer than the minute after which she is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient: the id, and the record that an emergency carries."""

    patient: str
    record: dict[str, Any]
    """By the names of the API's patient record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """A continuous glucose sensor under one person's skin."""

    device: str
    patient: str
    glucose_mg_dl: tuple[float | None, ...]
    """One every five minutes; the last of them was measured when the world began, and stays."""
    near_from_s: float
    """When its wearer comes near the gateway: what it has in memory is told then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A strap or a Wi-Fi patch on one person."""

    device: str
    patient: str
    plan: Plan
    """What the heart does where no recording is played."""
    plays: str = ""
    """`fibrillation`, `af` or `sinus`: which kind of recording suits, where there are recordings."""
    off_s: tuple[float, float] | None = None
    """From and to, in seconds of the world: the electrode has come off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A cuff and whose slots it has."""

    device: str
    slots: dict[int, str]
    """Patient by user slot."""
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One client of the server: a gateway with its devices, or a patch that speaks MQTT itself."""

    client: str
    people: tuple[Person, ...]
    straps: tuple[Worn, ...] = ()
    cuffs: tuple[Shared, ...] = ()
    sensors: tuple[Sensed, ...] = ()
    patches: tuple[Worn, ...] = field(default=())
    """With one of these the client is the patch, and nothing else is there."""


_SINUS: Plan = ((Rhythm.SINUS, 300.0),)

ADA = Home(
    client="gw-ada",
    people=(
        Person(
            patient="ada",
            record={
                "name": "Ada Lindqvist",
                "birth_date": "1957-03-14",
                "sex": "female",
                "language": "en",
                "address": "12 Harbour Lane, Flat 3",
                "door_code": "4711#",
                "phones": ["+00 555 0101"],
                "problems": ["heart attack in 2021", "heart failure, LVEF 30 %"],
                "medication": ["metoprolol 50 mg", "amiodarone 200 mg"],
                "allergies": ["penicillin"],
                "blood_group": "A+",
                "implants": [],
                "directives": ["resuscitation wanted"],
                "contacts": [{"name": "Nils Lindqvist", "relation": "son", "phone": "+00 555 0102"}],
            },
        ),
    ),
    straps=(
        Worn(
            device="H10-ADA",
            patient="ada",
            plan=((Rhythm.SINUS, FIBRILLATES_AT_S), (Rhythm.VF, 140.0), (Rhythm.SINUS, 420.0)),
            plays="fibrillation",
        ),
    ),
)

CHEN = Home(
    client="gw-chen",
    people=(
        Person(
            patient="chen-guiying",
            record={
                "name": "陈桂英",
                "birth_date": "1951-08-02",
                "sex": "female",
                "language": "zh",
                "address": "槐树路 88 号 2 单元 301",
                "door_code": "301#",
                "phones": ["+00 555 0201"],
                "problems": ["高血压"],
                "medication": ["氨氯地平 5 mg"],
                "allergies": [],
            },
        ),
        Person(
            patient="chen-guoqiang",
            record={
                "name": "陈国强",
                "birth_date": "1949-01-20",
                "sex": "male",
                "language": "zh",
                "address": "槐树路 88 号 2 单元 301",
                "door_code": "301#",
                "phones": ["+00 555 0202"],
                "problems": ["高血压", "慢性肾病"],
                "medication": ["缬沙坦 80 mg"],
                "allergies": ["磺胺"],
            },
        ),
    ),
    cuffs=(
        Shared(
            device="CUFF-CHEN",
            slots={1: "chen-guiying", 2: "chen-guoqiang"},
            measurements=(
                Measurement(at_s=8.0, slot=1, systolic_mmhg=128, diastolic_mmhg=78, pulse_bpm=71),
                Measurement(at_s=20.0, slot=2, systolic_mmhg=186, diastolic_mmhg=122, pulse_bpm=88),
                Measurement(at_s=60.0, slot=1, systolic_mmhg=126, diastolic_mmhg=77, pulse_bpm=70),
                # Again after 75 s: the first reading alone is no crisis.
                Measurement(at_s=95.0, slot=2, systolic_mmhg=188, diastolic_mmhg=124, pulse_bpm=90),
                Measurement(
                    at_s=240.0,
                    slot=1,
                    systolic_mmhg=131,
                    diastolic_mmhg=80,
                    pulse_bpm=72,
                    status=CuffStatus.IRREGULAR_PULSE | CuffStatus.BODY_MOVEMENT,
                ),
            ),
        ),
    ),
)

LIN = Home(
    client="wifi-lin",
    people=(
        Person(
            patient="lin-xiao",
            record={
                "name": "林晓",
                "birth_date": "1983-11-05",
                "sex": "female",
                "language": "zh",
                "address": "梧桐街 6 号 1502",
                "phones": ["+00 555 0301"],
                "problems": ["阵发性心悸"],
                "medication": [],
                "allergies": [],
            },
        ),
    ),
    patches=(
        Worn(device="wifi-lin", patient="lin-xiao", plan=_SINUS, plays="sinus", off_s=(COMES_OFF_AT_S, STUCK_ON_AT_S)),
    ),
)

SOFIA = Home(
    client="gw-sofia",
    people=(
        Person(
            patient="sofia",
            record={
                "name": "Sofia Marin",
                "birth_date": "1979-05-22",
                "sex": "female",
                "language": "en",
                "address": "5 Orchard Court",
                "phones": ["+00 555 0401"],
                "problems": ["type 1 diabetes since 1994"],
                "medication": ["insulin lispro", "insulin glargine"],
                "allergies": [],
            },
        ),
    ),
    sensors=(
        Sensed(
            device="CGM-SOFIA",
            patient="sofia",
            # Three hours: steady, then slowly down to a low that juice can mend.
            glucose_mg_dl=(
                *(118, 121, 124, 126, 127, 127, 126, 124, 122, 120, 118, 116, 115, 113, 112, 110, 108, 106, 104, 102),
                *(100, 98, 95, 92, 89, 86, 83, 80, 77, 75, 73, 71, 69, 67, 66, 65),
            ),
            near_from_s=10.0,
        ),
    ),
)

JONAS = Home(
    client="gw-jonas",
    people=(
        Person(
            patient="jonas",
            record={
                "name": "Jonas Weber",
                "birth_date": "1948-09-30",
                "sex": "male",
                "language": "en",
                "address": "21 Station Road",
                "phones": ["+00 555 0501"],
                "problems": ["stroke in 2019"],
                "medication": ["aspirin 100 mg", "ramipril 5 mg"],
                "allergies": [],
            },
        ),
    ),
    straps=(Worn(device="H10-JONAS", patient="jonas", plan=((Rhythm.AF, 300.0),), plays="af"),),
)

_GIVEN = ("Tom", "Mara", "Jonas", "Edith", "Karim", "Lucia", "Owen", "Ines", "Pavel", "Ruth")
_FAMILY = ("Okafor", "Brandt", "Silva", "Novak", "Haddad", "Keller", "Moreau", "Petrov", "Walsh", "Yilmaz")


def quiet(number: int) -> Home:
    """A patient to whom nothing happens: a strap in sinus rhythm, and a cuff of their own."""
    patient = f"quiet-{number:03}"
    name = f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[(number // len(_GIVEN) + number) % len(_FAMILY)]}"
    record = {
        "name": name,
        "birth_date": f"{1940 + number % 50}-06-15",
        "language": "en",
        "address": f"{number + 1} Mill Road",
    }
    pressures = tuple(
        Measurement(at_s=15.0 + 120.0 * turn, slot=1, systolic_mmhg=118 + (7 * turn + number) % 15, diastolic_mmhg=76)
        for turn in range(10)
    )
    return Home(
        client=f"gw-{patient}",
        people=(Person(patient=patient, record=record),),
        straps=(Worn(device=f"H10-{number:03}", patient=patient, plan=_SINUS, plays="sinus"),),
        cuffs=(Shared(device=f"CUFF-{number:03}", slots={1: patient}, measurements=pressures),),
    )


def homes(quiet_patients: int) -> Iterator[Home]:
    """Everybody, in a fixed order."""
    yield from (ADA, CHEN, LIN, SOFIA, JONAS)
    for number in range(quiet_patients):
        yield quiet(number)
