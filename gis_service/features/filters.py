"""The `filter` parameter as a checked value: CQL2 in text or JSON, or GDAL's cql-text."""

from __future__ import annotations

from collections.abc import Iterator

from gis_service.catalog.view import ViewedLayer
from gis_service.db.cql2.nodes import Array, Call, Filter, Interval, Node
from gis_service.features.cql2 import json_form, limits, text
from gis_service.features.cql2.check import Checker
from gis_service.features.refusal import refuse
from gis_service.geo.crs import Crs

LANGUAGES = ("cql2-text", "cql2-json", "cql-text")


def parse(view: ViewedLayer, source: str, lang: str, crs: Crs) -> Filter:
    """The filter over this layer; 400 says what doesn't fit, where, and what would."""
    tree = read(source, lang)
    return Filter(Checker(view, crs, loose=lang == "cql-text").condition(tree))


def read(source: str, lang: str) -> Node:
    """The tree of a filter as it's written, of no layer yet."""
    if lang not in LANGUAGES:
        raise refuse("filter.unknown-language", value=lang[:40], known=", ".join(LANGUAGES))
    limits.check_size(source)
    tree = json_form.read(source) if lang == "cql2-json" else text.read(source, loose=lang == "cql-text")
    for node, depth in _nodes(tree):
        limits.check_depth(depth, node.at or "$")
    return tree


def _nodes(tree: Node) -> Iterator[tuple[Node, int]]:
    """Every operator and literal with its depth; by a list, for a + a + a … is as deep as it is long."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in _children(node)]


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Call(_, args):
            return args
        case Array(members):
            return members
        case Interval(start, end):
            return (start, end)
    return ()
