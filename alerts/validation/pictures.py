"""The strips of the report: reads the signal of each fault that was chosen and draws it with its marks.

A thin shell over `worst` and `strip_picture`; a recording that cannot be read again is left without a picture.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from alerts.validation.collection import PROTOCOLS, Protocol
from alerts.validation.episode_scoring import FIBRILLATION, TACHYCARDIA
from alerts.validation.reference import read
from alerts.validation.strip_picture import Bar, Beat, Picture, strip
from alerts.validation.worst import LONG_S, Fault, worst
from stream.recording import BadRecord, open_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.validation.examine import Examined
    from alerts.validation.reference import Annotations
    from stream.recording import Lead

_OUR_BARS = {"vf": "vt", "vt": "vt", "nsvt": "vt", "asystole": "vt", "af": "af", "aflutter": "af", "svt": "af"}
_THEIR_BARS = {**dict.fromkeys((*FIBRILLATION, TACHYCARDIA, "ASYS"), "vt"), "AFIB": "af", "AFL": "af", "SVTA": "af"}
_LEADS = 2


def pictures(examined: Sequence[Examined]) -> dict[str, list[str]]:
    """By section, `<figure>`s of the worst errors."""
    drawn: dict[str, list[str]] = {}
    for fault in worst(examined, reference_of):
        picture = _figure(fault)
        if picture:
            drawn.setdefault(fault.section, []).append(picture)
    return drawn


def reference_of(one: Examined) -> Annotations | None:
    """The annotations of a recording, read again."""
    if one.error or not one.seconds or one.said is None:
        return None
    return read(one.task.path, one.said.rate_hz, one.said.length)


def _figure(fault: Fault) -> str:
    one = fault.examined
    has_all = Protocol.ARREST in PROTOCOLS[one.task.collection]
    try:
        recording = open_record(one.task.path, "all" if has_all else None)
    except (BadRecord, OSError):
        return ""
    reference = reference_of(one)
    where = f"{one.task.source}/{one.record}, from {fault.start_s:.0f} s"
    strips = [
        strip(
            _picture(fault, reference, lead, recording.rate_hz, f"{fault.sentence}. {where}, lead {lead.name}", n == 0)
        )
        for n, lead in enumerate(recording.leads[:_LEADS])
    ]
    size = "long" if fault.seconds >= LONG_S else "short"
    caption = f"<figcaption><b>{escape(fault.sentence)}</b><span>{escape(where)}</span></figcaption>"
    return f'<figure class="{size}">{caption}{"".join(strips)}</figure>'


def _picture(
    fault: Fault, reference: Annotations | None, lead: Lead, rate_hz: float, label: str, is_first: bool
) -> Picture:
    said = fault.examined.said
    theirs, ours, their_bars, our_bars = [], [], [], []
    if reference is not None and is_first:
        samples, classes = reference.beats()
        theirs = [Beat(at_s=at / rate_hz, group=c) for at, c in zip(samples.tolist(), classes.tolist(), strict=True)]
        their_bars = [
            Bar(start_s=a, end_s=b, name=label_, kind=_THEIR_BARS[label_])
            for a, b, label_ in reference.rhythms()
            if label_ in _THEIR_BARS
        ]
        their_bars += [
            Bar(start_s=a / rate_hz, end_s=b / rate_hz, name="VF", kind="vt") for a, b in reference.bracketed()
        ]
    if said is not None and is_first:
        beats = zip(said.beats.tolist(), said.classes.tolist(), strict=True)
        ours = [Beat(at_s=at / rate_hz, group=c) for at, c in beats]
        our_bars = [
            Bar(start_s=e.onset_s, end_s=e.end_s, name=e.condition, kind=_OUR_BARS[e.condition])
            for e in said.of(*_OUR_BARS)
        ]
    return Picture(
        samples=lead.samples,
        rate_hz=rate_hz,
        start_s=fault.start_s,
        seconds=fault.seconds,
        lead=lead.name,
        theirs=theirs,
        ours=ours,
        their_bars=their_bars,
        our_bars=our_bars,
        wrong_s=fault.wrong_s if is_first else (),
        label=label,
    )
