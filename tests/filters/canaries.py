"""Sentences in which every literal is a random canary: text of 12 letters or more, numbers of 15 digits.

Whoever finds one in the text of a statement has found a value that wasn't bound.
"""

from __future__ import annotations

import datetime as dt
import random
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.filters.sentences import Words

Json = Any  # what json.dumps takes
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What ends a literal, a name, a comment or a statement somewhere, or means something to a pattern.
INJECTIONS = (
    "'; drop table gis.plot; -- {}",
    "' or '1'='1' or '{}",
    '" or 1=1 -- {}',
    '"; select pg_sleep(9); -- {}',
    "$1 {} $2",
    "%s %({})s {{0}}",
    "\\'; select '{}",
    "{}') union select '{}",
    "/*{}*/",
    "{}\n;\t--",
    "E'\\x27{}",
    "$${}$$",
    "%{}_",
    "{}'||'",
    "\u02bc{}\uff07",
)

_chances = st.integers(0, 2**32 - 1).map(random.Random)
words_of_letters = _chances.map(lambda chance: "".join(chance.choices(LETTERS, k=14)))
injections = st.builds(
    lambda form, word: form.replace("{}", word), st.sampled_from(INJECTIONS), words_of_letters
)
integers = _chances.map(lambda chance: chance.randrange(10**14, 10**15) // 10 * 10 + 7)
fractions = integers.map(lambda digits: digits / 10**7)


def degrees(least: int, most: int) -> st.SearchStrategy[float]:
    """Coordinates of 14 or 15 digits between two whole degrees."""
    return _chances.map(lambda chance: (chance.randrange(least * 10**11, most * 10**11) * 10 + 7) / 10**12)


def words(properties: Mapping[str, str]) -> Words:
    """The grammar's words over a layer of the service."""
    text = st.one_of(words_of_letters, injections.filter(lambda made: not made.endswith("\\")))
    text = text.map(lambda made: made.replace("\\'", "'"))  # CQL2 text can't say a backslash before a quote
    day = _chances.map(lambda chance: dt.date.fromordinal(chance.randrange(1, 3_652_059)).isoformat())
    instant = st.tuples(day, _chances).map(_instant)
    return Words(
        properties={"geometry": "geometry", **properties},
        text=text,
        pattern=words_of_letters.map(lambda word: f"%{word}_"),
        integer=integers,
        number=fractions,
        exponent=integers,
        day=day,
        instant=instant,
        shape=_shapes(),
    )


def _instant(given: tuple[str, random.Random]) -> str:
    day, chance = given
    return f"{day}T{chance.randrange(24):02}:{chance.randrange(60):02}:17.{chance.randrange(10**5, 10**6)}Z"


def _shapes() -> st.SearchStrategy[Json]:
    x, y = degrees(100, 110), degrees(10, 20)
    position = st.tuples(x, y).map(list)
    box = st.tuples(x, y, degrees(111, 119), degrees(21, 29)).map(list)
    point = position.map(lambda made: {"type": "Point", "coordinates": made})
    line = st.lists(position, min_size=2, max_size=4, unique_by=tuple)
    area = box.map(lambda b: [[[b[0], b[1]], [b[2], b[1]], [b[2], b[3]], [b[0], b[3]], [b[0], b[1]]]])
    one = st.one_of(
        point,
        line.map(lambda made: {"type": "LineString", "coordinates": made}),
        line.map(lambda made: {"type": "MultiPoint", "coordinates": made}),
        area.map(lambda made: {"type": "Polygon", "coordinates": made}),
    )
    return st.one_of(one, box.map(lambda made: {"bbox": made}))


def spoor(sentence: Json) -> Iterator[str]:
    """Every form in which a literal of the sentence would show in the text of a statement."""
    match sentence:
        case {"property": _}:
            return
        case dict():
            for name, value in sentence.items():
                if name not in ("op", "type"):
                    yield from spoor(value)
        case list():
            for value in sentence:
                yield from spoor(value)
        case bool():
            return
        case int() | float():
            yield repr(sentence)
            yield struct.pack("<d", sentence).hex()
        case str() if sentence != "..":
            yield sentence
