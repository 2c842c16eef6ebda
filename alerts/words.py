"""What is said of a condition: a sentence of what it is, and steps of what to do, in every language.

The words themselves lie in `words_patient.py` and `words_clinic.py`, one file an audience; the names in `catalogue.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "zh")

Text = dict[str, str]
"""Language (`en`, `zh`), sentence."""


@dataclass(frozen=True, slots=True)
class Words:
    """What one audience reads of one condition."""

    what: Text
    """One sentence."""
    do: tuple[Text, ...]
    """Steps, one a line, verbs first."""

    def steps(self) -> dict[str, list[str]]:
        """The steps by language."""
        return {language: [step[language] for step in self.do] for language in LANGUAGES}


def text(en: str, zh: str) -> Text:
    """A sentence in both languages."""
    return {"en": en, "zh": zh}
