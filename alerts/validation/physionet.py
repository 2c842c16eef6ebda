"""The collections on PhysioNet: where each lies, under which licence, whom to cite, which of its files are wanted.

Data, and pure functions over listings. The project carries none of these recordings; it downloads them for who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE_URL = "https://physionet.org/files/"
SUFFIXES = (".hea", ".dat", ".mat", ".atr")
_EXTRA = re.compile(r"(LICENSE.*|ALARMS|REFERENCE(-v3)?\.csv)")
CHECKSUMS = "SHA256SUMS.txt"
RECORDS = "RECORDS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A collection as it is published."""

    slug: str
    title: str
    licence: str
    cite: str
    version: str = "1.0.0"

    @property
    def folder(self) -> str:
        """Below the base address."""
        return f"{self.slug}/{self.version}/"


_ODC = "Open Data Commons Attribution License v1.0"
COLLECTIONS: Mapping[str, Published] = {
    "mitdb": Published(
        slug="mitdb",
        title="MIT-BIH Arrhythmia Database",
        licence=_ODC,
        cite="Moody, Mark: IEEE Eng Med Biol 20(3):45 (2001)",
    ),
    "cudb": Published(
        slug="cudb",
        title="CU Ventricular Tachyarrhythmia Database",
        licence=_ODC,
        cite="Nolle, Badura, Catlett et al.: Computers in Cardiology 13:515 (1986)",
    ),
    "vfdb": Published(
        slug="vfdb",
        title="MIT-BIH Malignant Ventricular Ectopy Database",
        licence=_ODC,
        cite="Greenwald: The development and analysis of a ventricular fibrillation detector, MIT (1986)",
    ),
    "nsrdb": Published(
        slug="nsrdb",
        title="MIT-BIH Normal Sinus Rhythm Database",
        licence=_ODC,
        cite="Goldberger et al.: Circulation 101(23):e215 (2000)",
    ),
    "nstdb": Published(
        slug="nstdb",
        title="MIT-BIH Noise Stress Test Database",
        licence=_ODC,
        cite="Moody, Muldrow, Mark: Computers in Cardiology 11:381 (1984)",
    ),
    "ltafdb": Published(
        slug="ltafdb",
        title="Long-Term AF Database",
        licence=_ODC,
        cite="Petrutiu, Sahakian, Swiryn: Europace 9(7):466 (2007)",
    ),
    "cpsc2021": Published(
        slug="cpsc2021",
        title="Paroxysmal Atrial Fibrillation Events Detection (CPSC 2021)",
        licence="Creative Commons Attribution 4.0 International",
        cite="Wang, Ma, Zhang et al.: PhysioNet (2021)",
    ),
    "challenge2015": Published(
        slug="challenge-2015",
        title="Reducing False Arrhythmia Alarms in the ICU (PhysioNet/CinC Challenge 2015)",
        licence=_ODC,
        cite="Clifford, Silva, Moody et al.: Computing in Cardiology 42:273 (2015)",
    ),
    "challenge2017": Published(
        slug="challenge-2017",
        title="AF Classification from a Short Single Lead ECG (PhysioNet/CinC Challenge 2017)",
        licence=_ODC,
        cite="Clifford, Liu, Moody et al.: Computing in Cardiology 44 (2017)",
    ),
}


class BadListing(ValueError):
    """A listing of a collection that cannot be followed."""


def checksums(text: str) -> dict[str, str]:
    """Path -> SHA-256 of the lines of `SHA256SUMS.txt`. A path that leads out of its folder is refused."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.split(maxsplit=1)
        if len(parts) != 2:  # noqa: PLR2004
            continue
        digest, path = parts[0].lower(), parts[1].strip().removeprefix("*").removeprefix("./")
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise BadListing(f"{CHECKSUMS} has a line that is no checksum: {line[:80]!r}")
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
            raise BadListing(f"{CHECKSUMS} names a file outside of its folder: {path[:80]!r}")
        found[path] = digest
    if not found:
        raise BadListing(f"{CHECKSUMS} is empty")
    return found


def wanted(records: Iterable[str] | None, sums: Mapping[str, str]) -> list[str]:
    """Which files to take, in order: those of the records, and the tables and the licence beside them.

    `records` are the lines of `RECORDS`: a record each, or a folder with a slash at its end. None: there is no such
    list, and every recording is taken.
    """
    names = {name.strip().removeprefix("./") for name in records or () if name.strip()}
    folders = tuple(name for name in names if name.endswith("/"))
    found = []
    for path in sums:
        pure = PurePosixPath(path)
        is_record = (
            records is None or str(pure.with_suffix("")) in names or (bool(folders) and path.startswith(folders))
        )
        if (is_record and pure.suffix in SUFFIXES) or _EXTRA.fullmatch(pure.name):
            found.append(path)
    return sorted(found)
