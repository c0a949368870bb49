"""The one catalogue of sentences for people, in Vietnamese and English.

Each `texts/*.yaml` holds flat keys written in full, `area.name: {en: …, vi: …}`; a key stands in one
file only. Places for values are those of `str.format`.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Self

import yaml

LANGUAGES = ("en", "vi")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: ten times quicker


def say(key: str, lang: str, **values: object) -> str:
    """Give the sentence in that language, English for any language we don't have; KeyError if unknown."""
    sentences = catalogue()[key]
    text = sentences.get(lang) or sentences["en"]
    if not values:
        return text
    return text.format(**{name: v.say(lang) if isinstance(v, Sentence) else v for name, v in values.items()})


class Sentence(str):
    """A sentence in English that another one may hold: it's said in the language of that one."""

    _key: str
    _values: Mapping[str, object]

    def __new__(cls, key: str, **values: object) -> Self:
        made = super().__new__(cls, say(key, "en", **values))
        made._key, made._values = key, values
        return made

    def say(self, lang: str) -> str:
        return say(self._key, lang, **self._values)


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Read every file of the catalogue once; ValueError on a key that stands twice."""
    whole: dict[str, Mapping[str, str]] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        area = yaml.load(file.read_text("utf-8"), _LOADER)  # noqa: S506  # both are safe loaders or {}
        if twice := whole.keys() & area.keys():
            raise ValueError(f"{file.name}: keys already in another file: {sorted(twice)}")
        whole.update(area)
    return whole
