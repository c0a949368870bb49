"""The conformance classes in words, by standard, each with its place in the standard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gis_service.texts import catalogue
from gis_service.web.frame import Document, Frame, formats, rendered

# The documents of the standards, by the part of a class's URI that names one.
STANDARDS: Mapping[str, tuple[str, str]] = {
    "ogcapi-common-1": ("OGC API – Common – Part 1: Core", "https://docs.ogc.org/is/19-072/19-072.html"),
    "ogcapi-common-2": (
        "OGC API – Common – Part 2: Geospatial Data",
        "https://docs.ogc.org/is/20-024/20-024.html",
    ),
    "ogcapi-common-3": (
        "OGC API – Common – Part 3: Schemas",
        "https://docs.ogc.org/is/23-058r2/23-058r2.html",
    ),
    "ogcapi-features-1": (
        "OGC API – Features – Part 1: Core",
        "https://docs.ogc.org/is/17-069r4/17-069r4.html",
    ),
    "ogcapi-features-2": (
        "OGC API – Features – Part 2: Coordinate Reference Systems by Reference",
        "https://docs.ogc.org/is/18-058r1/18-058r1.html",
    ),
    "ogcapi-features-3": (
        "OGC API – Features – Part 3: Filtering",
        "https://docs.ogc.org/is/19-079r2/19-079r2.html",
    ),
    "ogcapi-features-4": (
        "OGC API – Features – Part 4: Create, Replace, Update and Delete",
        "https://docs.ogc.org/DRAFTS/20-002r1.html",
    ),
    "ogcapi-features-5": (
        "OGC API – Features – Part 5: Schemas",
        "https://docs.ogc.org/is/23-058r2/23-058r2.html",
    ),
    "cql2": ("Common Query Language (CQL2)", "https://docs.ogc.org/is/21-065r2/21-065r2.html"),
    "json-fg-1": (
        "OGC Features and Geometries JSON – Part 1: Core",
        "https://docs.ogc.org/DRAFTS/21-045r1.html",
    ),
    "ogcapi-tiles-1": ("OGC API – Tiles – Part 1: Core", "https://docs.ogc.org/is/20-057/20-057.html"),
    "tms": (
        "OGC Two Dimensional Tile Matrix Set and Tile Set Metadata",
        "https://docs.ogc.org/is/17-083r4/17-083r4.html",
    ),
    "ogcapi-processes-1": (
        "OGC API – Processes – Part 1: Core",
        "https://docs.ogc.org/is/18-062r2/18-062r2.html",
    ),
}
_SPEC = "/spec/"


@dataclass(frozen=True, slots=True)
class Class:
    """One class: its URI, which leads to the requirements, and what it means."""

    uri: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Standard:
    """The classes of one standard."""

    title: str
    href: str
    classes: tuple[Class, ...]


def page(frame: Frame, doc: Document) -> str:
    return rendered(
        "conformance.html", frame, standards=standards(frame, doc["conformsTo"]), formats=formats(doc)
    )


def standards(frame: Frame, uris: Iterable[str]) -> list[Standard]:
    """The classes by standard, in the order given; a standard that we know no name of stands by its URI."""
    found: dict[str, list[Class]] = {}
    for uri in uris:
        key = uri.partition(_SPEC)[2].partition("/")[0] or uri
        found.setdefault(key, []).append(_class(frame, uri))
    return [
        Standard(*STANDARDS.get(key, (key, classes[0].uri)), tuple(classes)) for key, classes in found.items()
    ]


def _class(frame: Frame, uri: str) -> Class:
    name = uri.rpartition("/conf/")[2]
    key = words_key(uri)
    return Class(uri, name, frame.say(key) if key in catalogue() else "")


def words_key(uri: str) -> str:
    """The key of a class's words; its version doesn't change them."""
    standard, _, rest = uri.partition(_SPEC)[2].partition("/")
    return f"page.class.{standard}.{rest.rpartition('conf/')[2]}"
