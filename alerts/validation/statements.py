"""What the report says besides figures: that it is no certificate, and how everything was measured."""

from __future__ import annotations

NOT_CLEARED = (
    "Research software. Not a cleared medical device. Decision support for research and development: "
    "no figure here says that it may be used to diagnose, to treat or to watch anybody."
)
DEVELOPED_ON = (
    "Models and thresholds were learned from parts of the public collections: the DS1 half of MIT-BIH, and parts of CUDB, "
    "VFDB, NSRDB, Long-Term AF, CPSC 2021 and of both Challenges. Figures on those recordings flatter; what a model reached "
    "on people it had not seen stands in its card (stream/ecg/models). Only recordings that nobody tuned on are proof."
)
METHOD = (
    (
        "Each recording goes the whole way of a live patient: cut into chunks, judged by the Ward, alerts by the policy, in one "
        "pass, never looking ahead. The first ECG lead is used, for arrest alarms every ECG lead; the reference is the "
        "collection's own annotations."
    ),
    (
        "Beats: ANSI/AAMI EC57. One to one within 150 ms, the first five minutes are for learning and are not scored, "
        "fibrillation between brackets is left out. A false detection called V or S counts against its class; fusion and "
        "unknown beats called V are forgiven, paced recordings are left out of classes. Figures are gross: sums first."
    ),
    (
        "Atrial fibrillation: the rhythm in force at each annotated beat, seconds in common, episodes of at least 30 s by any "
        "overlap. Strictly, flutter of the reference is left out; the lines with “or flutter” count both as one."
    ),
    (
        "VF and VT: an annotated episode of at least 5 s is found by a finding that overlaps it and was decided no later than "
        "10 s after its end; the delay runs from its annotated onset. A finding more than 10 s away from every episode is false."
    ),
    (
        "Arrest alarms: 100 (TP + TN) / (TP + TN + FP + 5 FN); confirmed by a finding that was told by the alarm and was not "
        "over 16 s before it. Strips: F1 as the Challenge of 2017 counted, the mean of normal, AF and other."
    ),
    (
        "False emergencies are counted away from everything dangerous that the reference shows (10 s before to 30 s after). A "
        "recording on which hardly a beat was found gives no hours, as silence proves nothing."
    ),
    (
        "Intervals: 95 %, from 1,000 draws of whole recordings with a fixed seed. Where nothing was seen the bound is Poisson's "
        "(exact, one-sided), where all or none of few events were found it is Clopper and Pearson's. Several recordings of one "
        "person are drawn as if they were several people, so intervals are rather too narrow than too wide."
    ),
    (
        "“Met” means that the worse end of the interval reaches the target as well; “met, not proven” that only the figure does. "
        "On recordings that the detector was developed with even “met” proves nothing for other patients."
    ),
)
