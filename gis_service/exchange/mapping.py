"""Which field of the file fills which column of the table, and the rows that come of it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_service.exchange import values
from gis_service.exchange.reasons import Reason, reason
from gis_service.exchange.schemas import Schema
from gis_service.exchange.source import Batch


@dataclass(frozen=True)
class Target:
    """A column that a file may fill: PostgreSQL's name of its type, and whether a row can't do without."""

    name: str
    kind: str
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """One field that fills one column."""

    source: str
    target: Target
    recode: Mapping[str, str] | None = None


@dataclass(frozen=True)
class FieldMap:
    """The whole way from fields to columns; `leftover` fields are kept as they are, beside the row."""

    pairs: tuple[Pair, ...]
    leftover: tuple[str, ...]
    missing: tuple[str, ...]
    schema: str
    id_fields: tuple[str, ...]

    @property
    def columns(self) -> tuple[Target, ...]:
        return tuple(pair.target for pair in self.pairs)


@dataclass
class Rows:
    """A batch in the table's terms; a row with a fault has no values to rely on."""

    columns: dict[str, list[values.Value]]
    extra: list[str | None]
    ids: list[str | None]
    faults: list[Reason | None]


class Unmappable(ValueError):
    """`--map` names a field that the file, or a column that the layer, doesn't have."""

    def __init__(self, side: str, name: str) -> None:
        self.side, self.name = side, name
        super().__init__(f"{side}: {name}")


def unaccented(text: str) -> str:
    """Vietnamese and other accents taken off: `Khu bảo tồn` → `Khu bao ton`."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def fold(name: str) -> str:
    """A name without case, accents and signs: `scientificName`, `SCIENTIFIC_NAME` → `scientificname`."""
    return re.sub(r"[^a-z0-9]", "", unaccented(name).lower())


def plan(
    fields: Sequence[str],
    targets: Sequence[Target],
    schema: Schema,
    maps: Mapping[str, str],
    id_field: str | None = None,
    cut_names: bool = False,
) -> FieldMap:
    """Pair fields and columns: what `maps` says first, then the schema's names, then equal names.

    A field or column is used once. Unmappable where `maps` or `id_field` names what isn't there.
    """
    pairs = _said(fields, targets, maps)
    for find in (_renamed(schema), _equal(targets), _cut(targets) if cut_names else {}, _also(schema)):
        _add(pairs, fields, targets, find, schema)
    filled = {pair.target.name for pair in pairs.values()}
    if id_field is not None and id_field not in fields:
        raise Unmappable("field", id_field)
    return FieldMap(
        pairs=(*pairs.values(), *_verbatim(schema, pairs, targets)),
        leftover=tuple(field for field in fields if field not in pairs),
        missing=tuple(t.name for t in targets if t.required and t.name not in filled),
        schema=schema.name,
        id_fields=(id_field,) if id_field is not None else _id_fields(schema, pairs),
    )


def _said(fields: Sequence[str], targets: Sequence[Target], maps: Mapping[str, str]) -> dict[str, Pair]:
    by_name = {name: target for target in targets for name in (*target.aliases, target.name)}
    pairs: dict[str, Pair] = {}
    for source, wanted in maps.items():
        field = source if source in fields else next((f for f in fields if f.lower() == source.lower()), None)
        if field is None:
            raise Unmappable("field", source)
        if wanted not in by_name:
            raise Unmappable("column", wanted)
        if any(pair.target == by_name[wanted] for pair in pairs.values()):
            raise Unmappable("twice", wanted)
        pairs[field] = Pair(field, by_name[wanted])
    return pairs


def _add(
    pairs: dict[str, Pair],
    fields: Sequence[str],
    targets: Sequence[Target],
    find: Mapping[str, str],
    schema: Schema,
) -> None:
    """Pair each field that is still free with the column that `find` leads to, if that is free too."""
    by_name = {target.name: target for target in targets}
    filled = {pair.target.name for pair in pairs.values()}
    for field in fields:
        name = find.get(fold(field))
        if field in pairs or name not in by_name or name in filled:
            continue
        recode = schema.recodes.get((fold(field), name))
        pairs[field] = Pair(field, by_name[name], recode)
        filled.add(name)


def _verbatim(schema: Schema, pairs: Mapping[str, Pair], targets: Sequence[Target]) -> list[Pair]:
    """Pairs that keep the source's own words beside what they were understood as."""
    by_name = {target.name: target for target in targets}
    filled = {pair.target.name: pair for pair in pairs.values()}
    return [
        Pair(filled[column].source, by_name[kept])
        for column, kept in schema.verbatim.items()
        if column in filled and kept in by_name and kept not in filled
    ]


def _renamed(schema: Schema) -> Mapping[str, str]:
    return {fold(source): target for source, target in schema.renames.items()}


def _also(schema: Schema) -> Mapping[str, str]:
    return {fold(source): target for source, target in schema.aliases.items()}


def _equal(targets: Sequence[Target]) -> Mapping[str, str]:
    return {fold(name): target.name for target in targets for name in (*target.aliases, target.name)}


def _cut(targets: Sequence[Target]) -> Mapping[str, str]:
    """The names as a shapefile cuts them at ten characters, where only one column begins so."""
    found: dict[str, set[str]] = {}
    for target in targets:
        for name in (*target.aliases, target.name):
            found.setdefault(fold(name[:10]), set()).add(target.name)
    return {cut: min(names) for cut, names in found.items() if len(names) == 1}


def _id_fields(schema: Schema, pairs: Mapping[str, Pair]) -> tuple[str, ...]:
    """The fields that together name a row: the first of the schema's keys whose leading column is filled."""
    by_target = {pair.target.name: field for field, pair in pairs.items()}
    for key in schema.keys:
        if key[0] in by_target:
            return tuple(by_target[column] for column in key if column in by_target)
    return ()


def apply(field_map: FieldMap, batch: Batch) -> Rows:
    """The batch in the table's terms; never fails for what a value holds."""
    count = len(batch.wkb)
    rows = Rows({}, [None] * count, [None] * count, [None] * count)
    for pair in field_map.pairs:
        rows.columns[pair.target.name] = _column(pair, batch.attributes[pair.source], rows.faults)
    for at in range(count):
        rows.extra[at] = _extra(field_map.leftover, batch, at)
        rows.ids[at] = _id(field_map, batch, at)
        if rows.ids[at] is None and rows.faults[at] is None:
            rows.faults[at] = reason("no_id", fields=", ".join(field_map.id_fields))
    return rows


def _column(pair: Pair, raw: list[object], faults: list[Reason | None]) -> list[values.Value]:
    convert, kind = values.CONVERT[pair.target.kind], pair.target.kind
    column: list[values.Value] = []
    for at, value in enumerate(raw):
        found: values.Value = None
        try:
            if not values.missing(value, kind):
                found = convert(_recoded(value, pair.recode))
        except (ValueError, TypeError, OverflowError) as err:
            faults[at] = faults[at] or reason(
                "value", field=pair.source, value=str(value)[:80], column=pair.target.name, fault=str(err)
            )
        column.append(found)
    return column


def _recoded(value: object, recode: Mapping[str, str] | None) -> object:
    return value if recode is None else recode.get(values.text(value).lower(), value)


def _extra(leftover: tuple[str, ...], batch: Batch, at: int) -> str | None:
    kept = {
        name: value for name in leftover if not values.missing(value := batch.attributes[name][at], "text")
    }
    try:
        return values.json(kept).replace("\\u0000", "") if kept else None
    except (TypeError, ValueError):  # whole numbers past 64 bits, broken surrogates
        return values.json({name: repr(value) for name, value in kept.items()}).replace("\\u0000", "")


def _id(field_map: FieldMap, batch: Batch, at: int) -> str | None:
    """The row's id in its source; where no field names it, a digest of all that the row holds."""
    if not field_map.id_fields:
        return _digest(batch, at)
    parts = [_word(batch.attributes[name][at]) for name in field_map.id_fields]
    while parts and not parts[-1]:
        parts.pop()
    return "/".join(parts) or None


def _word(value: object) -> str:
    """A part of an id; "" where there is none or it is no text."""
    try:
        return "" if values.missing(value, "text") else values.text(value)
    except ValueError:
        return ""


def _digest(batch: Batch, at: int) -> str:
    digest = hashlib.sha256(batch.wkb[at] or b"")
    for name, column in sorted(batch.attributes.items()):
        digest.update(f"\0{name}\0{column[at]!r}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:24]
