"""What sheets agree on with the one who fills them in: the row that is an example, columns of coordinates."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gis_service.exchange.source import Batch  # which a web worker that writes a sheet never loads

EXAMPLE: Final = "#example"  # in the column of ids; the same in every language
# By the meridians of provinces and the two UTM zones, as EPSG numbers them.
VN2000: Final[Mapping[int, str]] = {
    3405: "VN-2000 / UTM 48N",
    3406: "VN-2000 / UTM 49N",
    5896: "VN-2000 / TM-3 102°00′",
    9205: "VN-2000 / TM-3 103°00′",
    9206: "VN-2000 / TM-3 104°00′",
    9207: "VN-2000 / TM-3 104°30′",
    9208: "VN-2000 / TM-3 104°45′",
    5897: "VN-2000 / TM-3 105°00′",
    9209: "VN-2000 / TM-3 105°30′",
    9210: "VN-2000 / TM-3 105°45′",
    9211: "VN-2000 / TM-3 106°00′",
    9212: "VN-2000 / TM-3 106°15′",
    9213: "VN-2000 / TM-3 106°30′",
    9214: "VN-2000 / TM-3 107°00′",
    9215: "VN-2000 / TM-3 107°15′",
    9216: "VN-2000 / TM-3 107°30′",
    5899: "VN-2000 / TM-3 107°45′",
    5898: "VN-2000 / TM-3 108°00′",
    9217: "VN-2000 / TM-3 108°15′",
    9218: "VN-2000 / TM-3 108°30′",
}
MOST_FILLED: Final = 5_000  # rows of a layer in a sheet that is filled with them
_PROJECTED = re.compile(r"(easting|northing) EPSG:(\d{4,6})")


def projected(srid: int) -> tuple[str, str]:
    """The columns of coordinates in a system of metres: they name it, so that it isn't mistaken."""
    return f"easting EPSG:{srid}", f"northing EPSG:{srid}"


def plain_names(fields: Sequence[str]) -> tuple[list[str], str | None]:
    """The columns by the names that readers of tables know, and the system that both coordinates name."""
    found = [_PROJECTED.fullmatch(name.strip()) for name in fields]
    systems = {each[2] for each in found if each is not None}
    if len(systems) != 1:
        return list(fields), None
    names = [each[1] if each else name for name, each in zip(fields, found, strict=True)]
    return names, f"EPSG:{systems.pop()}"


def without_examples(batches: Iterator[Batch], id_column: str) -> Iterator[Batch]:
    """The rows that are meant, each under the number that it has in its file."""
    for batch in batches:
        marks = [value == EXAMPLE for value in batch.attributes[id_column]]
        if not any(marks):
            yield batch
            continue
        for is_example, numbers in itertools.groupby(range(len(marks)), marks.__getitem__):
            if not is_example:
                those = list(numbers)
                yield _cut(batch, those[0], those[-1] + 1)


def _cut(batch: Batch, start: int, end: int) -> Batch:
    attributes = {name: values[start:end] for name, values in batch.attributes.items()}
    return replace(batch, first=batch.first + start, attributes=attributes, wkb=batch.wkb[start:end])
