"""The page that lists features: a filter form, a map, a table, and the same features in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gis_service.catalog.view import ViewedLayer
from gis_service.features.form import TEXT_LANGUAGE, Fields
from gis_service.features.query import queryables
from gis_service.web import field, filter_form
from gis_service.web.field import Field
from gis_service.web.filter_form import FilterForm
from gis_service.web.frame import Document, Frame, Urls, formats, map_settings, rendered, trail

MOST_COLUMNS = 8
GROUND = "provinces"  # the layer that lies below the others on a small map
OVERVIEW_ZOOM = 8  # areas are first drawn with the detail of this zoom; a closer look asks for more


@dataclass(frozen=True, slots=True)
class Found:
    """What the page holds of all that matches: exact where that's known, and never more than is known."""

    rows: Sequence[Document]
    first: bool  # whether no matching feature lies before the page
    more: bool
    matched: int | None = None
    more_than: int | None = None

    def sentence(self, frame: Frame) -> str:
        """How many features are here, and of how many, as far as anybody has counted."""
        here, lang = len(self.rows), frame.lang
        if not here:
            return frame.say("page.count.none")
        values = {"here": field.number(here, lang), "range": f"1–{field.number(here, lang)}"}
        if self.matched is not None:
            key = "all" if self.matched == here else ("first_of" if self.first else "some_of")
            return frame.say(f"page.count.{key}", **values, all=field.number(self.matched, lang))
        if self.more_than is not None:
            key = "first_of_more" if self.first else "some_of_more"
            return frame.say(f"page.count.{key}", **values, all=field.number(self.more_than, lang))
        key = "first" if self.first else "some"
        return frame.say(f"page.count.{key}" + ("_and_more" if self.more else ""), **values)


@dataclass(frozen=True, slots=True)
class Column:
    """A property in the table, with the address that sorts by it and how it's sorted now."""

    field: Field
    href: str = ""
    sorted: str = ""  # ascending, descending or nothing, as aria-sort has it


@dataclass(frozen=True, slots=True)
class Download:
    """The features in one format: all that match, or this page where nothing more can be had."""

    name: str
    words: str
    href: str
    media: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What the route has found for the page."""

    view: ViewedLayer
    given: Fields
    form: FilterForm
    doc: Document  # the collection of features as the API tells it, without geometries
    found: Found
    map_data: str = ""  # where the map fetches the geometries
    downloads: Sequence[Download] = ()


def page(frame: Frame, listing: Listing) -> str:
    """The whole page."""
    view = listing.view
    title = view.title.say(frame.lang)
    wanted = listing.given.get("properties", "").split(",") if "properties" in listing.given else None
    columns = _columns(frame, listing, wanted)
    beside = {each["rel"]: Urls(frame).html(each["href"]) for each in listing.doc.get("links", ())}
    return rendered(
        "items.html",
        frame,
        "collections",
        trail=trail(
            frame, frame.say("page.collection.items"), (title, frame.links.collection(view.id, view.past))
        ),
        title=title,
        id=view.id,
        past=view.past,
        today=_of_today(frame, listing),
        form=listing.form,
        rows=listing.found.rows,
        count=listing.found.sentence(frame),
        columns=columns,
        heading=_heading(frame, listing),
        name_of=lambda feature: field.title_of(feature, frame.lang),
        plain=Urls(frame).page(frame.links.items(view.id, view.past)),
        share=_share(frame, listing),
        filter_text=_filter_text(listing.given),
        example=_example(view),
        prev=beside.get("prev"),
        next=beside.get("next"),
        map=_map(frame, listing),
        downloads=listing.downloads,
        formats=formats(listing.doc),
    )


def _columns(frame: Frame, listing: Listing, wanted: Sequence[str] | None) -> list[Column]:
    """Those that were asked for, else the most telling ones of this page."""
    every = field.fields(listing.view, frame.lang)
    if wanted is not None:
        chosen = [each for each in every if each.name in wanted]
    else:
        chosen = field.columns(every, listing.found.rows, MOST_COLUMNS, frame.lang)
    return [_column(frame, listing, each) for each in chosen]


def _heading(frame: Frame, listing: Listing) -> Column | None:
    """The first column, which names the features: sorted like any other where one field names them all."""
    every = field.fields(listing.view, frame.lang)
    called = field.naming(every, listing.found.rows, frame.lang)
    return _column(frame, listing, called) if called else None


def _column(frame: Frame, listing: Listing, of: Field) -> Column:
    if not of.sortable or listing.form.fault:
        return Column(of)
    key = listing.given.get("sortby", "").split(",")[0]
    name, down = key.lstrip("+- "), key.startswith("-")
    direction = ("descending" if down else "ascending") if name == of.name else ""
    return Column(of, filter_form.sort_href(listing.view, frame, listing.given, of.name), direction)


def _share(frame: Frame, listing: Listing) -> str:
    """The address of the selection whatever its form, language and page."""
    kept = {n: v for n, v in listing.given.items() if n not in ("f", "lang", "after", "offset")}
    return frame.links.items(listing.view.id, kept)


def _of_today(frame: Frame, listing: Listing) -> str:
    """The same selection of what stands today."""
    kept = {n: v for n, v in listing.given.items() if n not in ("f", "lang", "after", "release")}
    return Urls(frame).page(frame.links.items(listing.view.id, kept))


def _filter_text(given: Fields) -> str:
    return given.get("filter", "") if given.get("filter-lang", TEXT_LANGUAGE) == TEXT_LANGUAGE else ""


def _example(view: ViewedLayer) -> str:
    """A filter that could stand in the field for experts."""
    for name, prop in queryables(view).items():
        if prop.values:
            return f"{name} = '{next(iter(prop.values))}'"
        if prop.type in ("integer", "number"):
            return f"{name} > 100"
    return f"{next(iter(queryables(view)), 'id')} IS NOT NULL"


def _map(frame: Frame, listing: Listing) -> Mapping[str, object]:
    """The layer's tiles with this page's features over them; a click leads to the feature's page."""
    view = listing.view
    level = None if view.geometry_type == "Point" else OVERVIEW_ZOOM
    return map_settings(
        frame,
        past=view.past,
        layers=[GROUND, view.id],
        features=listing.map_data or None,
        country=frame.links.tilejson([GROUND]),
        level=level,
        rows=True,
        texts=dict(_map_texts(frame)),
    )


def _map_texts(frame: Frame) -> Iterable[tuple[str, str]]:
    for key in ("zoom_in", "zoom_out", "north", "attribution", "failed", "close"):
        yield f"map.control.{key}", frame.say(f"map.control.{key}")
    for key in ("drawn", "empty", "failed"):
        yield f"page.map.{key}", frame.say(f"page.map.{key}")
