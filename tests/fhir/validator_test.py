"""Our documents before the reference validator (HAPI), offline, against the profile of the International Patient Summary.

The validator comes from a registry and the definitions are data: where Java, Maven, its artifacts or the definitions are
missing this skips and says which, also under TIERWATCH_REQUIRE=all.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.fhir import summary
from tests.fhir.packets import packets

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Messages = dict[str, list[tuple[str, str, str]]]


def _of(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind)


def _without_allergies(bundle: dict[str, Any]) -> None:
    composition = _of(bundle, "Composition")
    composition["section"] = [one for one in composition["section"] if one["code"]["coding"][0]["code"] != "48765-2"]


def _empty_without_reason(bundle: dict[str, Any]) -> None:
    next(one for one in _of(bundle, "Composition")["section"] if "emptyReason" in one and
         one["code"]["coding"][0]["code"] in {"11450-4", "10160-0", "48765-2"}).pop("emptyReason")  # fmt: skip


FAULTS: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "no allergies section": ("full", _without_allergies),
    "empty section without a reason": ("unknown", _empty_without_reason),
    "a sex that there is not": ("full", lambda it: _of(it, "Patient").update(gender="woman")),
    "no birth date": ("full", lambda it: _of(it, "Patient").pop("birthDate")),
    "a day that there is not": ("full", lambda it: _of(it, "Condition").update(onsetDateTime="2019-02-31")),
    "a unit that is no UCUM": (
        "full", lambda it: _of(it, "Observation")["component"][0]["valueQuantity"].update(code="mmHg")),
    "a status that there is not": ("full", lambda it: _of(it, "MedicationStatement").update(status="taking")),
    "a medication without a time": ("full", lambda it: _of(it, "MedicationStatement").pop("effectiveDateTime")),
    "no document": ("full", lambda it: it.update(type="collection")),
}  # fmt: skip


def _definitions() -> Path:
    given = os.environ.get("TIERWATCH_DATA")
    folders = [Path(given) / "fhir_ips"] if given else [ROOT.parent / "shared" / "data" / "fhir_ips"]
    found = next((one for one in folders if one.is_dir()), None)
    if found is None:
        pytest.skip("the definitions of the International Patient Summary are not at hand: TIERWATCH_DATA/fhir_ips")
    return found


def _classpath() -> str:
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not at hand")
    into = ROOT / "var" / "fhir" / "classpath.txt"
    into.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mvn",
        "-q",
        "-B",
        "-f",
        str(HERE / "pom.xml"),
        "dependency:build-classpath",
        f"-Dmdep.outputFile={into}",
    ]
    for way in (["-o"], []):
        if subprocess.run([*command, *way], capture_output=True, timeout=600, check=False).returncode == 0:
            return into.read_text()
    pytest.skip("the validator's artifacts are not at hand, and Maven cannot get them")


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """What the validator says of all documents, good and broken, by the name of the file: one JVM for all."""
    definitions, classpath = _definitions(), _classpath()
    folder = tmp_path_factory.mktemp("documents")
    made = {name: json.loads(summary.document(one)) for name, one in packets().items()}
    for name, (of, spoil) in FAULTS.items():
        made[name] = copy.deepcopy(made[of])
        spoil(made[name])
    for name, one in made.items():
        (folder / f"{name}.json").write_text(json.dumps(one))
    command = ["java", "-cp", classpath, str(HERE / "Validate.java"), str(folder), str(definitions)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    said: Messages = {}
    for line in run.stdout.splitlines():
        file, severity, where, what = line.split("\t", 3)
        said.setdefault(file.removesuffix(".json"), []).append((severity, where, what))
    assert set(said) == set(made)
    return said


@pytest.mark.parametrize("name", packets())
def test_our_documents_have_no_error(messages: Messages, name: str) -> None:
    assert [one for one in messages[name] if one[0] in {"ERROR", "FATAL"}] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(messages: Messages, name: str) -> None:
    assert [one for one in messages[name] if one[0] in {"ERROR", "FATAL"}]
