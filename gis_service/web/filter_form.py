"""The filter form of a layer as a person meets it: labelled controls with what was chosen, and chips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.errors import GisError
from gis_service.features import form
from gis_service.features.form import FROM, HOW, PERIOD, TO, Fields, Group
from gis_service.features.query import sortables
from gis_service.web import problems
from gis_service.web.field import NAMES, number, titles
from gis_service.web.frame import Frame

FIRST = 5  # controls that are always in sight; the others unfold
MOST = 50  # fields in one form: a query string holds 64 parameters, and other things travel too
SIZES = (10, 25, 50, 100)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_WORD = 60  # characters of a value on a chip
_FIRST_KINDS = ("choice", "truth")
_PAIRS = ("days", "numbers", "text")  # two fields each
_AROUND = 24  # characters of a filter shown on each side of what is wrong in it
_HIDDEN = ("lang", "release", "crs", "properties", "bbox-crs", "filter-lang", "filter-crs", "zoom-level")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form; with options it is a list to choose from."""

    name: str
    label: str
    value: str = ""
    type: str = "text"
    options: tuple[Option, ...] = ()

    @property
    def id(self) -> str:
        return f"form-{self.name}"


@dataclass(frozen=True, slots=True)
class Control:
    """The fields of one filter under a common title."""

    title: str
    inputs: tuple[Input, ...]
    hint: str = ""
    active: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen filter in words, and the page without it."""

    title: str
    value: str
    href: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the request, and in which field, if in one of the form's."""

    message: str
    field: str = ""
    before: str = ""  # the text around the place in a filter
    after: str = ""


@dataclass(frozen=True, slots=True)
class FilterForm:
    """All that the form shows."""

    action: str
    first: tuple[Control, ...]
    more: tuple[Control, ...]
    left_out: int
    place: Input
    expert: Input
    sort: Input
    order: Input
    size: Input
    hidden: tuple[tuple[str, str], ...]
    chips: tuple[Chip, ...]
    fault: Fault | None = None

    @property
    def more_open(self) -> bool:
        return any(each.active for each in self.more)


def build(
    view: ViewedLayer, frame: Frame, given: Fields, size: int, fault: Fault | None = None
) -> FilterForm:
    """The form with what the query string chose, whether an address of the API or a form that was refused."""
    refused = form.sent(given)
    fields = dict(given) if refused else form.read(view, given)
    listed = _in_order(form.groups(view))
    controls = [_control(view, frame, group, fields) for group in _fitting(listed)]
    return FilterForm(
        action=frame.links.items(view.id),
        first=tuple(controls[:FIRST]),
        more=tuple(controls[FIRST:]),
        left_out=len(listed) - len(controls),
        place=Input("bbox", frame.say("page.form.box"), fields.get("bbox", "")),
        expert=Input("filter", frame.say("page.form.expert"), fields.get("filter", "")),
        sort=_sort(view, frame, fields),
        order=_order(frame, fields),
        size=_size(frame, fields, size),
        hidden=tuple(_hidden(given)),
        chips=() if refused or fault else tuple(_chips(view, frame, given, fields)),
        fault=fault,
    )


def fault_of(view: ViewedLayer, frame: Frame, err: GisError, given: Fields) -> Fault:
    """A refusal beside the field that it speaks of."""
    key = str(err.values.get("key", ""))
    placed = type(err)(err.detail, **_placed(view, err, given))
    message = problems.detail(placed, frame.lang)
    if key.startswith("filter."):
        shown = given if form.sent(given) else form.read(view, given)
        return Fault(message, "filter", *_around(placed, shown))
    names = [str(err.values.get("name", "")), *(each for each in ("bbox", PERIOD, "sortby") if each in key)]
    fields = {group.name: group.fields[0] for group in form.groups(view)} | {"sortby": "sortby"}
    return Fault(message, next((fields[name] for name in names if name in fields), ""))


def _around(err: GisError, fields: Fields) -> tuple[str, str]:
    """What stands before and behind the place in the expert's text that the refusal names."""
    at, text = err.values.get("at"), fields.get("filter", "")
    if not isinstance(at, int) or not 0 < at <= len(text) + 1:
        return "", ""
    return text[max(0, at - 1 - _AROUND) : at - 1], text[at - 1 : at - 1 + _AROUND]


def _placed(view: ViewedLayer, err: GisError, given: Fields) -> dict[str, object]:
    """The refusal's values; a place in the whole filter becomes one in the part that experts see."""
    at, text = err.values.get("at"), given.get("filter", "")
    if not isinstance(at, int) or form.sent(given):
        return dict(err.values)
    expert = form.read(view, given).get("filter", text)
    shift = len(text) - len(expert) - 1 if expert != text else 0
    return {**err.values, "at": at - shift if at > shift else at}


def sort_href(view: ViewedLayer, frame: Frame, given: Fields, name: str) -> str:
    """The page sorted by a property: upwards, and downwards if it's sorted upwards already."""
    asked = {**given, "sortby": f"-{name}" if given.get("sortby", "").lstrip("+ ") == name else name}
    return frame.links.items(view.id, form.query(view, form.read(view, asked)))


def _in_order(groups: Iterable[Group]) -> list[Group]:
    """Names first, then choices, then the rest as the layer lists it."""

    def rank(group: Group) -> int:
        if group.name in NAMES:
            return 0
        return 1 if group.kind in _FIRST_KINDS else 2

    return sorted((each for each in groups if each.property or each.name == PERIOD), key=rank)


def _fitting(groups: Sequence[Group]) -> list[Group]:
    found, total = [], 0
    for group in groups:
        total += 2 if group.kind in _PAIRS else 1
        if total > MOST:
            break
        found.append(group)
    return found


def _control(view: ViewedLayer, frame: Frame, group: Group, fields: Fields) -> Control:
    prop = group.property
    title = _title(view, frame, group)
    unit = f" ({prop.unit})" if prop and prop.unit else ""
    return Control(
        title=title + unit,
        inputs=tuple(_inputs(frame, group, fields, title)),
        hint=prop.description.say(frame.lang) if prop and prop.description else "",
        active=any(fields.get(name) for name in group.fields if not name.endswith(HOW)),
    )


def _title(view: ViewedLayer, frame: Frame, group: Group) -> str:
    if group.property is not None:
        return group.property.title.say(frame.lang)
    if group.titled_as is not None:
        return view.properties[group.titled_as].title.say(frame.lang)
    keys = {PERIOD: "page.form.period", "bbox": "page.form.box", "filter": "page.form.expert"}
    return frame.say(keys[group.name])


def _inputs(frame: Frame, group: Group, fields: Fields, title: str) -> Iterable[Input]:
    name, value = group.name, fields.get(group.name, "")
    if group.kind in ("days", "numbers"):
        for end, key in ((FROM, "page.form.from"), (TO, "page.form.to")):
            yield _end(group, name + end, frame.say(key), fields.get(name + end, ""))
    elif group.kind in ("choice", "truth"):
        yield Input(name, title, value, options=tuple(_options(frame, group, value)))
    elif group.kind == "text":
        how = fields.get(name + HOW, form.CONTAINS)
        hows = tuple(Option(each, frame.say(f"page.form.{each}"), each == how) for each in form.HOWS)
        yield Input(name + HOW, frame.say("page.form.how", title=title), how, options=hows)
        yield Input(name, title, value, "search")
    else:
        yield Input(name, title, value, "search")


def _end(group: Group, name: str, label: str, value: str) -> Input:
    """A moment that a field for days can't show stays text."""
    if group.kind == "numbers":
        return Input(name, label, value, "number")
    return Input(name, label, value, "date" if not value or _DAY.fullmatch(value) else "text")


def _options(frame: Frame, group: Group, chosen: str) -> Iterable[Option]:
    """Any, then each value; one that isn't in the list but was asked for stays visible."""
    known = _choices(frame, group)
    yield Option("", frame.say("page.form.any"), not chosen)
    for value, label in known.items():
        yield Option(value, label, value == chosen)
    if chosen and chosen not in known:
        yield Option(chosen, chosen, True)


def _choices(frame: Frame, group: Group) -> dict[str, str]:
    if group.kind == "truth" or group.property is None:
        return {"true": frame.say("page.yes"), "false": frame.say("page.no")}
    return titles(group.property, frame.lang)


def _sort(view: ViewedLayer, frame: Frame, fields: Fields) -> Input:
    chosen = fields.get("sortby", "")
    known = {name: prop.title.say(frame.lang) for name, prop in sortables(view).items()}
    options = [Option("", frame.say("page.form.unsorted"), not chosen)]
    options += [Option(name, title, name == chosen) for name, title in known.items()]
    if chosen and chosen not in known:
        options.append(Option(chosen, chosen, True))
    return Input("sortby", frame.say("page.form.sort"), chosen, options=tuple(options))


def _order(frame: Frame, fields: Fields) -> Input:
    down = fields.get(form.DOWN) == "down"
    options = (
        Option("", frame.say("page.form.upwards"), not down),
        Option("down", frame.say("page.form.downwards"), down),
    )
    return Input(form.DOWN, frame.say("page.form.order"), options=options)


def _size(frame: Frame, fields: Fields, size: int) -> Input:
    sizes = sorted({*SIZES, size})
    options = tuple(Option(str(each), number(each, frame.lang), each == size) for each in sizes)
    return Input("limit", frame.say("page.form.size"), fields.get("limit", ""), options=options)


def _hidden(given: Fields) -> Iterable[tuple[str, str]]:
    yield form.SENT, "1"
    if given.get("f") == "html":
        yield "f", "html"
    yield from ((name, given[name]) for name in _HIDDEN if given.get(name))


def _chips(view: ViewedLayer, frame: Frame, given: Fields, fields: Fields) -> Iterable[Chip]:
    for group in form.groups(view):
        if any(fields.get(name) for name in group.fields if not name.endswith(HOW)):
            href = frame.links.items(view.id, form.without(view, given, group))
            yield Chip(_title(view, frame, group), _words(frame, group, fields), href)


def _words(frame: Frame, group: Group, fields: Fields) -> str:
    """What was chosen, as a person would say it."""
    value = fields.get(group.name, "")
    low, high = fields.get(group.name + FROM), fields.get(group.name + TO)
    if low or high:
        key = "page.chip.between" if low and high else ("page.chip.from" if low else "page.chip.to")
        return low or "" if low == high else frame.say(key, low=low or "", high=high or "")
    if group.kind in ("choice", "truth"):
        return _choices(frame, group).get(value, value)
    if len(value) > _LONGEST_WORD:
        value = value[:_LONGEST_WORD] + "…"
    how = fields.get(group.name + HOW, form.IS) if group.kind == "text" else form.IS
    return value if how == form.IS else frame.say(f"page.chip.{how}", value=value)
