"""The collections that validation knows: how a folder is recognised, and what is scored on it.

A folder is known by its name, else by what lies in it; one of nobody's with annotations is scored for beats and rhythm.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHALLENGE_ALARM_S = 150.0
"""The second of the alarm in excerpts of Challenge 2015 that begin 150 s before it ..."""
FULL_ALARM_S = 300.0
"""... and in the original recordings, which have five minutes before it."""
_EXCERPT_S = 200.0


class Collection(StrEnum):
    """A collection of recordings."""

    MITDB = "mitdb"
    """MIT-BIH Arrhythmia: beats, classes and rhythms, half an hour each."""
    CUDB = "cudb"
    """Creighton University Ventricular Tachyarrhythmia: fibrillation between brackets."""
    VFDB = "vfdb"
    """MIT-BIH Malignant Ventricular Ectopy: rhythms only."""
    NSRDB = "nsrdb"
    """MIT-BIH Normal Sinus Rhythm: healthy people, on whom every alarm is false."""
    LTAFDB = "ltafdb"
    """Long-Term AF: beats and rhythms of a day."""
    CPSC2021 = "cpsc2021"
    """Paroxysmal AF by a wearable."""
    CHALLENGE2015 = "challenge2015"
    """Arrest alarms of an intensive care unit, true and false."""
    CHALLENGE2017 = "challenge2017"
    """Hand-held strips: normal, AF, other, noisy."""
    NSTDB = "nstdb"
    """Noise of electrodes, to be mixed into clean recordings."""
    OTHER = "other"
    """Any folder of recordings with annotations."""


class Protocol(StrEnum):
    """One way of scoring."""

    QRS = "qrs"
    """Beats, EC57."""
    CLASSES = "classes"
    """Classes of beats, EC57."""
    AF = "af"
    """Atrial fibrillation by beats, duration, episodes."""
    EPISODES = "episodes"
    """VF and VT, event by event."""
    CALM = "calm"
    """False emergencies away from every danger."""
    ALARMS = "alarms"
    """Alarms of every tier a patient-day."""
    ARREST = "arrest"
    """Challenge 2015."""
    STRIPS = "strips"
    """Challenge 2017."""


_BEATS = (Protocol.QRS, Protocol.CLASSES)
PROTOCOLS: Mapping[Collection, tuple[Protocol, ...]] = {
    Collection.MITDB: (*_BEATS, Protocol.AF, Protocol.CALM, Protocol.ALARMS),
    Collection.CUDB: (Protocol.EPISODES, Protocol.ALARMS),
    Collection.VFDB: (Protocol.EPISODES, Protocol.ALARMS),
    Collection.NSRDB: (*_BEATS, Protocol.CALM, Protocol.ALARMS),
    Collection.LTAFDB: (*_BEATS, Protocol.AF, Protocol.CALM, Protocol.ALARMS),
    Collection.CPSC2021: (Protocol.QRS, Protocol.AF, Protocol.CALM, Protocol.ALARMS),
    Collection.CHALLENGE2015: (Protocol.ARREST,),
    Collection.CHALLENGE2017: (Protocol.STRIPS,),
    Collection.NSTDB: (),
    Collection.OTHER: (*_BEATS, Protocol.AF, Protocol.CALM, Protocol.ALARMS),
}

# fmt: off
DS1 = frozenset((
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
))
"""De Chazal's half of MIT-BIH that everybody learns from (IEEE Trans Biomed Eng 51:1196, 2004) ..."""
DS2 = frozenset((
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
))
"""... and the half that figures are told on."""
# fmt: on

NAMES: Mapping[str, Collection] = {
    **{collection.value: collection for collection in Collection if collection is not Collection.OTHER},
    "ltafdb_wave": Collection.LTAFDB,
    "challenge-2015": Collection.CHALLENGE2015,
    "challenge-2017": Collection.CHALLENGE2017,
    "training2017": Collection.CHALLENGE2017,
}
_RECORDS: Mapping[Collection, re.Pattern[str]] = {
    Collection.MITDB: re.compile(r"[12]\d\d"),
    Collection.CUDB: re.compile(r"cu\d\d"),
    Collection.VFDB: re.compile(r"4[1-3]\d|6[01]\d"),
    Collection.NSRDB: re.compile(r"1[6-9]\d{3}"),
    Collection.CPSC2021: re.compile(r"data_\d+_\d+"),
    Collection.CHALLENGE2017: re.compile(r"A\d{5}"),
    Collection.NSTDB: re.compile(r"bw|ma|em|11[89]e[_\d]+"),
}
"""What all records of a collection are called."""
ALARMS_FILE = "ALARMS"
STRIPS_FILES = ("REFERENCE.csv", "REFERENCE-v3.csv")


class NothingToScore(ValueError):
    """A folder without a WFDB record that anything could be scored on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder of recordings."""

    name: str
    """The folder's own name; figures are told by it."""
    collection: Collection
    folder: Path
    records: tuple[Path, ...]
    """Paths without suffix, in order of name."""
    truth: Mapping[str, tuple[str, ...]]
    """What a table of the collection says of a record: (kind, "1" or "0") of an alarm, (class,) of a strip."""


def sources(folders: list[Path]) -> list[Source]:
    """What lies in the folders; one that holds no records but folders of them stands for those."""
    found: list[Source] = []
    for folder in folders:
        if not folder.is_dir():
            raise NothingToScore(f"{folder} is no folder: give folders of WFDB recordings (.hea, .dat, .atr)")
        inner = [one for one in sorted(folder.iterdir()) if one.is_dir() and next(one.rglob("*.hea"), None)]
        if folder.name in NAMES or any(folder.glob("*.hea")) or any(folder.glob(ALARMS_FILE)):
            found.append(source(folder))
        else:
            found += [
                one for one in map(source, inner) if PROTOCOLS[one.collection] or one.collection in {*NAMES.values()}
            ]
    if not any(one.records for one in found):
        raise NothingToScore(f"no WFDB recording (.hea) in {', '.join(map(str, folders))}")
    return [one for one in found if one.records]


def source(folder: Path) -> Source:
    """One folder, recognised."""
    records = tuple(path.with_suffix("") for path in sorted(folder.rglob("*.hea"), key=lambda path: path.stem))
    collection = recognised(folder, [record.name for record in records])
    truth: dict[str, tuple[str, ...]] = {}
    if collection is Collection.CHALLENGE2015:
        truth = _table(next(folder.rglob(ALARMS_FILE), None))
    elif collection is Collection.CHALLENGE2017:
        truth = _table(next((path for name in STRIPS_FILES for path in folder.rglob(name)), None))
    if collection in {Collection.CHALLENGE2015, Collection.CHALLENGE2017}:
        records = tuple(record for record in records if record.name in truth)
    return Source(name=folder.name, collection=collection, folder=folder, records=records, truth=truth)


def recognised(folder: Path, names: list[str]) -> Collection:
    """By its name, else by its tables, else by how its records are called."""
    if folder.name.lower() in NAMES:
        return NAMES[folder.name.lower()]
    if next(folder.rglob(ALARMS_FILE), None):
        return Collection.CHALLENGE2015
    for collection, pattern in _RECORDS.items():
        if names and all(pattern.fullmatch(name) for name in names):
            return collection
    return Collection.OTHER


def alarm_second(seconds: float) -> float:
    """Where the alarm of Challenge 2015 stands in a recording of this length."""
    return CHALLENGE_ALARM_S if seconds < _EXCERPT_S else FULL_ALARM_S


def _table(path: Path | None) -> dict[str, tuple[str, ...]]:
    if path is None:
        return {}
    with path.open(newline="", encoding="utf-8") as lines:
        return {row[0].strip(): tuple(cell.strip() for cell in row[1:]) for row in csv.reader(lines) if len(row) > 1}
