"""The filter form of a layer's page: from its fields to the query string of the API, and back.

A browser without scripts sends every field, the empty ones too; what comes out is the address that one
would write by hand. Fields beside the API's own parameters have a dot in their names, as no property does:
`name.from` and `name.to` are ends, `name.how` says how a text is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2.kinds import ID
from gis_service.errors import InvalidParameter
from gis_service.features import filters, values
from gis_service.features.query import RESERVED, equatable, queryables
from gis_service.features.refusal import refuse

SENT = "form.sent"  # the hidden field by which a form is told from an address of the API
FROM, TO, HOW = ".from", ".to", ".how"
PERIOD = "datetime"
CONTAINS, BEGINS, IS = "contains", "begins", "is"
HOWS = (CONTAINS, BEGINS, IS)
DOWN = "sort.order"  # its value is `down` or nothing
TEXT_LANGUAGE = "cql2-text"

Kind = Literal["choice", "truth", "days", "numbers", "text", "member", "place", "expert"]
Fields = Mapping[str, str]

_OWN = ("filter", "bbox", PERIOD, "sortby")  # what the form makes anew; other parameters are carried along
_LEFT_OUT = ("after", "offset")
_WORDS = frozenset(
    {"AND", "OR", "NOT", "LIKE", "ILIKE", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "DIV"}
)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = r'(?:(?P<bare>[A-Za-z_][A-Za-z0-9_]*)|"(?P<quoted>(?:[^"]|"")+)")'
_RANGE = re.compile(_NAME + r" (?P<sign>>=|<=) (?:DATE\('(?P<day>[0-9-]{10})'\)|(?P<number>[-+.0-9eE]+))")
_LIKE = re.compile(rf"CASEI\(ACCENTI\({_NAME}\)\) LIKE CASEI\(ACCENTI\('(?P<text>.*)'\)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of the form that make one filter."""

    name: str  # of the property, or `datetime`, `bbox`, `filter`
    kind: Kind
    fields: tuple[str, ...]
    property: Property | None = None
    titled_as: str | None = None  # the property that `datetime` asks of, where it is one


def sent(given: Fields) -> bool:
    """Whether this query string is a form's, to be turned into an address of the API."""
    return SENT in given


def groups(view: ViewedLayer) -> list[Group]:
    """The filters that the form of a layer has, in its order."""
    timed = _timed(view)
    made = [_group(name, prop) for name, prop in queryables(view).items() if name != timed]
    own = equatable(view).get(ID)
    if own is not None and ID not in view.properties:
        made.append(Group(ID, "member", (ID,), own))
    if view.time is not None:
        period = Group(PERIOD, "days", (PERIOD + FROM, PERIOD + TO), titled_as=timed)
        made.insert(0, period)
    return [*made, Group("bbox", "place", ("bbox",)), Group("filter", "expert", ("filter",))]


def kind_of(prop: Property) -> Kind:
    """How a person says what a property should be."""
    if prop.values and prop.type in ("text", "integer"):
        return "choice"
    kinds: Mapping[str, Kind] = {
        "boolean": "truth", "date": "days", "timestamp": "days", "integer": "numbers", "number": "numbers",
        "list": "member", "text": "text",
    }  # fmt: skip
    return kinds[prop.type]


def query(view: ViewedLayer, given: Fields) -> dict[str, str]:
    """The query string that says what the form's fields say; 400 names the first field that can't be read."""
    fields = {name: value.strip() for name, value in given.items() if value.strip()}
    equal: dict[str, str] = {}
    parts: list[str] = []
    for group in groups(view):
        if group.property is not None:
            _one(group, group.property, fields, equal, parts)
        elif group.name == PERIOD and (period := _period(fields)):
            equal[PERIOD] = period
    text = _joined(parts, fields)
    made = equal | ({"bbox": fields["bbox"]} if "bbox" in fields else {})
    return made | ({"filter": text} if text else {}) | _sort(fields) | _carried(fields, bool(text))


def read(view: ViewedLayer, given: Fields) -> dict[str, str]:
    """The form's fields for an address of the API. What of a filter isn't the form's own goes to experts."""
    fields = {name: value for name, value in given.items() if name not in (*_LEFT_OUT, "filter", "sortby")}
    if (timed := _timed(view)) in fields:
        fields.setdefault(PERIOD, fields.pop(timed))
    for group in groups(view):
        if group.name not in fields:
            continue
        if group.name == PERIOD:
            fields |= _ends(fields.pop(PERIOD))
        elif group.kind == "text":
            fields[group.name + HOW] = IS
        elif group.kind in ("days", "numbers") and not _is_instant(group):
            fields[group.name + FROM] = fields[group.name + TO] = fields.pop(group.name)
    return fields | _sorted(given.get("sortby", "")) | _filter_fields(view, given)


def without(view: ViewedLayer, given: Fields, group: Group) -> dict[str, str]:
    """The address's query string with one filter of the form taken away."""
    fields = read(view, given)
    return query(view, {name: value for name, value in fields.items() if name not in group.fields})


def _group(name: str, prop: Property) -> Group:
    kind = kind_of(prop)
    if kind in ("days", "numbers"):
        return Group(name, kind, (name + FROM, name + TO, name), prop)
    return Group(name, kind, (name, name + HOW) if kind == "text" else (name,), prop)


def _timed(view: ViewedLayer) -> str | None:
    """The property that the layer's `datetime` asks of; None where it asks of a span, or of nothing shown."""
    time = view.time
    if time is None or time.end not in (None, time.start):
        return None
    return next((n for n, prop in queryables(view).items() if (prop.column or n) == time.start), None)


def _one(group: Group, prop: Property, fields: Fields, equal: dict[str, str], parts: list[str]) -> None:
    """What one property's fields ask for: a parameter of its name, or parts of the filter."""
    name, value = group.name, fields.get(group.name)
    low, high = (_checked(name, prop, fields.get(name + end)) for end in (FROM, TO))
    if low is not None and low == high and not _is_instant(group):
        equal[name] = low
    elif low is not None or high is not None:
        ends = ((">=", low), ("<=", high))
        parts += [f"{_named(name)} {sign} {_literal(prop, end)}" for sign, end in ends if end is not None]
    elif value is not None and group.kind == "text" and fields.get(name + HOW, IS) in (CONTAINS, BEGINS):
        pattern = _pattern(value, fields[name + HOW])
        parts.append(f"CASEI(ACCENTI({_named(name)})) LIKE CASEI(ACCENTI({_quoted(pattern)}))")
    elif value is not None:
        equal[name] = value


def _is_instant(group: Group) -> bool:
    """Whether equality means one instant of a day, which the form's days can't say."""
    return group.property is not None and group.property.type == "timestamp"


def _checked(name: str, prop: Property, text: str | None) -> str | None:
    """The text of an end, where it can be read as the property's type."""
    if text is None:
        return None
    try:
        if kind_of(prop) == "days":
            return date.fromisoformat(text[:10]).isoformat()
        values.integer(text) if prop.type == "integer" else values.number(text)
    except ValueError as err:
        raise refuse("web.bad-value", name=name, type=prop.type, value=text[:200]) from err
    return text


def _literal(prop: Property, text: str) -> str:
    return f"DATE('{text}')" if kind_of(prop) == "days" else text


def _named(name: str) -> str:
    if _BARE.fullmatch(name) and name.upper() not in _WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def _pattern(text: str, how: str) -> str:
    """The text as a pattern of LIKE; its own wildcards mean themselves."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%" if how == CONTAINS else f"{escaped}%"


def _quoted(text: str) -> str:
    r"""A literal of CQL2. After a backslash a quote is written \', for there '' would close the literal."""
    doubled = re.sub(r"(?<!\\)'", "''", text)
    return "'" + re.sub(r"(?<=\\)'", r"\\'", doubled) + "'"


def _period(fields: Fields) -> str:
    """The `datetime` of two ends: a day, an interval, one with an open end, or nothing."""
    low, high = fields.get(PERIOD + FROM), fields.get(PERIOD + TO)
    if low is None and high is None:
        return ""
    return low if low is not None and low == high else f"{low or '..'}/{high or '..'}"


def _ends(period: str) -> dict[str, str]:
    low, _, high = period.partition("/") if "/" in period else (period, "", period)
    ends = {PERIOD + FROM: low, PERIOD + TO: high}
    return {field: end for field, end in ends.items() if end not in ("", "..")}


def _joined(parts: list[str], fields: Fields) -> str:
    """The form's own conditions and the expert's text in brackets, read here lest half a text breaks out."""
    expert, language = fields.get("filter"), fields.get("filter-lang", TEXT_LANGUAGE)
    if expert is None:
        return " AND ".join(parts)
    if not parts:
        return expert
    if language != TEXT_LANGUAGE:
        raise refuse("page.form.two-languages", language=language[:40])
    filters.read(expert, TEXT_LANGUAGE)
    return " AND ".join([*parts, f"({expert})"])


def _sort(fields: Fields) -> dict[str, str]:
    name = fields.get("sortby")
    if name is None:
        return {}
    return {"sortby": f"-{name}" if fields.get(DOWN) == "down" and name[:1] not in "+-" else name}


def _sorted(text: str) -> dict[str, str]:
    """One key as a name and a direction; several keys stay as they are written."""
    if not text or "," in text:
        return {"sortby": text} if text else {}
    down = {DOWN: "down"} if text[0] == "-" else {}
    return {"sortby": text.lstrip("+- ")} | down


def _carried(fields: Fields, filtered: bool) -> dict[str, str]:
    """Parameters that the form doesn't make: language, page size, release and the like."""
    lost = (*_OWN, *_LEFT_OUT, *(() if filtered else ("filter-lang", "filter-crs")))
    lost = (*lost, *(() if "bbox" in fields else ("bbox-crs",)))
    return {name: value for name, value in fields.items() if name in RESERVED and name not in lost}


def _filter_fields(view: ViewedLayer, given: Fields) -> dict[str, str]:
    """A filter as fields, if the form would write just this filter from them; else as the expert's text."""
    text = given.get("filter", "")
    if not text:
        return {}
    if given.get("filter-lang", TEXT_LANGUAGE) == TEXT_LANGUAGE:
        fields = dict(_recognised(view, text))
        if fields and sorted(_writes(view, fields)) == sorted(_conjuncts(text)):
            return fields
    return {"filter": text}


def _writes(view: ViewedLayer, fields: Fields) -> list[str]:
    """The parts of the filter that the form would make of these fields."""
    parts: list[str] = []
    try:
        for group in groups(view):
            if group.property is not None:
                _one(group, group.property, fields, {}, parts)
    except InvalidParameter:
        return []
    return [*parts, *([f"({fields['filter']})"] if "filter" in fields else [])]


def _recognised(view: ViewedLayer, text: str) -> Iterator[tuple[str, str]]:
    known = queryables(view)
    for part in _conjuncts(text):
        if part.startswith("(") and part.endswith(")"):
            yield "filter", part[1:-1]
        elif (found := _RANGE.fullmatch(part)) and _read_name(found) in known:
            end = FROM if found["sign"] == ">=" else TO
            yield _read_name(found) + end, found["day"] or found["number"]
        elif (found := _LIKE.fullmatch(part)) and _read_name(found) in known:
            yield from _read_pattern(_read_name(found), found["text"])


def _read_name(found: re.Match[str]) -> str:
    return found["bare"] or found["quoted"].replace('""', '"')


def _read_pattern(name: str, literal: str) -> Iterator[tuple[str, str]]:
    pattern = literal.replace("''", "'").replace("\\'", "'")
    contains = pattern.startswith("%")
    yield name, re.sub(r"\\(.)", r"\1", pattern[1 if contains else 0 : -1], flags=re.DOTALL)
    yield name + HOW, CONTAINS if contains else BEGINS


def _conjuncts(text: str) -> Iterator[str]:
    """The text parted at each AND that stands in no brackets and no quotes."""
    begin = depth = 0
    for found in re.finditer(r"'(?:[^'\\]|\\'|\\|'')*'|\"(?:[^\"]|\"\")*\"|[()]| AND ", text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == " AND " and depth == 0:
            yield text[begin : found.start()]
            begin = found.end()
    yield text[begin:]
