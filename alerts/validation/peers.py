"""Other people's QRS detectors on the same lead in the same run: wfdb's xqrs and gqrs, NeuroKit2's, sleepecg's.

They see the whole recording at once, which ours never does. What is not installed is named and left out. For
comparison only: must never be imported by anything that judges patients.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.recording import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from stream.recording import Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One detector."""

    package: str
    detect: Callable[[NDArray[np.float64], float], Any]
    """Millivolts and Hz in, R peaks in samples out."""


def _xqrs(signal: NDArray[np.float64], rate: float) -> Any:
    return import_module("wfdb.processing").xqrs_detect(sig=signal, fs=rate, verbose=False)


def _gqrs(signal: NDArray[np.float64], rate: float) -> Any:
    return import_module("wfdb.processing").gqrs_detect(sig=signal, fs=rate)


def _neurokit(method: str) -> Callable[[NDArray[np.float64], float], Any]:
    def detect(signal: NDArray[np.float64], rate: float) -> Any:
        neurokit = import_module("neurokit2")
        clean = neurokit.ecg_clean(signal, sampling_rate=round(rate), method=method)
        return neurokit.ecg_peaks(clean, sampling_rate=round(rate), method=method)[1]["ECG_R_Peaks"]

    return detect


def _sleepecg(signal: NDArray[np.float64], rate: float) -> Any:
    return import_module("sleepecg").detect_heartbeats(signal, rate)


PEERS: Mapping[str, Peer] = {
    "wfdb xqrs": Peer(package="wfdb", detect=_xqrs),
    "wfdb gqrs": Peer(package="wfdb", detect=_gqrs),
    "NeuroKit2 neurokit": Peer(package="neurokit2", detect=_neurokit("neurokit")),
    "NeuroKit2 pantompkins1985": Peer(package="neurokit2", detect=_neurokit("pantompkins1985")),
    "sleepecg": Peer(package="sleepecg", detect=_sleepecg),
}


def absent() -> list[str]:
    """Those whose package is not installed."""
    return [name for name, peer in PEERS.items() if find_spec(peer.package) is None]


def beats_by(name: str, lead: Lead, rate: float) -> tuple[NDArray[np.int64], float]:
    """R peaks in samples, ascending, and the CPU seconds they took. Missing samples are bridged by a straight line."""
    signal = lead.samples.astype(float) / 1000
    is_missing = lead.samples == MISSING
    if is_missing.any() and not is_missing.all():
        known = np.flatnonzero(~is_missing)
        signal[is_missing] = np.interp(np.flatnonzero(is_missing), known, signal[known])
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, of theirs
        found = np.asarray(PEERS[name].detect(signal, rate), float)
    took = time.process_time() - begin
    return np.unique(np.round(found[np.isfinite(found)]).astype(np.int64)), took
