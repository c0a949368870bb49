"""Why a row was set aside: a key of the text catalogue and its values, said in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, field

from gis_service import texts
from gis_service.errors import DataRefused


@dataclass(frozen=True)
class Reason:
    """One reason; `code` is stable for scripts, `say` is for people."""

    code: str
    values: dict[str, object] = field(default_factory=dict, hash=False)

    def say(self, lang: str) -> str:
        return texts.say(f"load.row.{self.code}", lang, **self.values)


def reason(code: str, **values: object) -> Reason:
    return Reason(code, values)


def refused(key: str, lang: str, **values: object) -> DataRefused:
    """The error that refuses a whole file, in the reader's language."""
    return DataRefused(texts.say(f"load.refused.{key}", lang, **values))
