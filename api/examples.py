"""An example of each body that the API takes, by the name of its schema: what `/api` shows, and what a reader copies.

A test compares: none is missing, and each is taken by its schema.
"""

from __future__ import annotations

from typing import Any

_WEEKDAY = {
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "shift": {
        "start": "08:00",
        "end": "18:00",
        "to": [{"person": "dr-lin", "channel": "webhook", "address": "practice"}],
    },
}

BODIES: dict[str, Any] = {
    "FromDispatch": {"kind": "on_the_way", "eta": "2026-12-01T09:52:00+00:00"},
    "Answer": {"note": "calling her now"},
    "Closing": {"outcome": "false_alarm", "note": "electrode had come loose"},
    "WearerSays": {"answer": "well"},
    "Snoozing": {"minutes": 30},
    "SignIn": {"login": "lin", "password": "a long password of theirs"},
    "NewPassword": {},
    "NewAccount": {"login": "lin", "kind": "doctor", "name": "Dr Lin", "person": "doctor"},
    "Assignment": {"device": "CUFF-CHEN", "slot": 1, "patient": "chen-guiying", "from": "2026-12-01T08:00:00Z"},
    "Limits": {"patient": "ada", "limits": {"tachy_bpm": 120, "glucose_low_mg_dl": 75}, "version": 3},
    "Symptoms": {"patient": "ada", "symptoms": ["chest_pain", "breathless"]},
    "NewPause": {"kind": "shower", "minutes": 30},
    "Ending": {"kind": "discharge"},
    "Choices": {"glucose_unit": "mmol/L"},
    "Shared": {"login": "cleo", "shown": ["status", "alerts"]},
    "PlanBody": {"limits": {"tachy_bpm": 120}, "reason": "known and treated", "guideline": "esc"},
    "Trial": {"limits": {"tachy_bpm": 120}},
    "ScheduleBody": {"zone": "Europe/Berlin", "week": [_WEEKDAY]},
    "Person": {
        "name": "Ada Sampleton",
        "birth_date": "1955-03-09",
        "sex": "female",
        "language": "en",
        "address": "12 Example Lane, flat 3",
        "door_code": "4711#",
        "phones": ["+44 1632 960003"],
        "problems": [{"text": "Ischaemic heart disease", "system": "http://snomed.info/sct", "code": "414545008"}],
        "medication": [{"text": "Bisoprolol", "dose": "5 mg in the morning"}],
        "allergies": [{"text": "Penicillin", "reaction": "anaphylaxis", "criticality": "high"}],
        "implants": [],
        "contacts": [{"name": "Cleo Sampleton", "relation": "daughter", "phone": "+44 1632 960001"}],
    },
}
