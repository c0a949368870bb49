"""Readers who share a server and its caches: whatever one asks or has changed, the others learn nothing.

Hypothesis drives their requests in any order, and changes of rows that are hidden from some of them: moved
within their cells, renamed, added, withdrawn. What a reader was once answered must be answered for ever, bit
for bit, until something changes that it may see.
"""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from gis_service.web.finish import held
from tests.web.leaks.ask import Seen, seen
from tests.web.leaks.world import World

WHO = ("public", "province-a", "province-b")
KINDS = ("occurrences", "plots", "protected-areas", "species-ranges")
WEST = {"A": 105, "B": 106}
# Within the cell that the public sees of each category, by degrees from the province's corner.
CELLS = {1: (0.3, 0.9), 2: (0.0001, 0.0999), 3: (0.0501, 0.0599), 4: (0.0552, 0.0558)}
SOUTH = {1: (0.3, 0.9), 2: (0.0001, 0.0999), 3: (0.0501, 0.0599), 4: (0.0512, 0.0518)}

values = st.sampled_from(["Recorder A0", "Recorder B1", "Hollow B2", "Speciosus category1", "Other"])
places = st.tuples(st.sampled_from([105, 106]), st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.0001, 0.5))


def _items(layer: str, more: str) -> str:
    return f"/collections/{layer}/items?{more}"


def _filtered(name: str, value: str) -> str:
    condition = f"{name} = '{value}'"
    return _items("occurrences", f"filter={quote(condition)}")


def _box(place: tuple[int, float, float, float]) -> str:
    west, x, y, side = place
    return ",".join(f"{v:.6f}" for v in (west + x, 20 + y, west + x + side, 20 + y + side))


def _tile(layer: str, place: tuple[int, float, float, float], zoom: int) -> str:
    west, x, y, _ = place
    column, row, *_rest = covering(BBox(west + x, 20 + y, west + x + 1e-6, 20 + y + 1e-6), zoom)
    return f"/xyz/{layer}/{zoom}/{column}/{row}.mvt"


layers = st.sampled_from(KINDS)
PAGES = (
    "limit=1",
    "limit=100",
    "limit=3&offset=2",
    "limit=100&release=1",
    "limit=100&f=html",
    "limit=100&f=csv",
)
DOCUMENTS = (
    "/", "/collections", "/collections?f=html", "/api", "/map", "/styles", "/releases", "/collections/plots",
    "/collections/plots/schema", "/collections/plots/queryables", "/collections/plots/tiles",
    "/collections/occurrences/tiles/WebMercatorQuad", "/xyz/occurrences/tilejson.json",
    "/collections/occurrences/items?sortby=-scientificName&limit=2",
)  # fmt: skip
NAMES = ("recordedBy", "locality", "scientificName", "informationWithheld")
paths = st.one_of(
    st.builds(lambda layer, place: _items(layer, f"bbox={_box(place)}"), layers, places),
    st.builds(_tile, layers, places, st.sampled_from([5, 8, 11, 14])),
    st.builds(_filtered, st.sampled_from(NAMES), values),
    st.builds(_items, layers, st.sampled_from(PAGES)),
    st.builds(lambda layer, gid: f"/collections/{layer}/items/{gid}", layers, st.integers(1, 40)),
    st.builds(lambda gid: f"/collections/occurrences/items/{gid}/history", st.integers(1, 40)),
    st.builds(lambda layer: f"/collections/{layer}/export?f=json", layers),
    st.sampled_from(DOCUMENTS),
)


class Readers(RuleBasedStateMachine):
    """What each principal was answered stays here, over all examples, until its own rows change."""

    world: ClassVar[World]
    clients: ClassVar[Mapping[str, httpx.Client]]
    known: ClassVar[Mapping[str, dict[str, Seen]]]

    @rule(asks=st.lists(st.tuples(st.sampled_from(WHO), paths), min_size=2, max_size=5))
    def ask(self, asks: list[tuple[str, str]]) -> None:
        """By turns, as caches see it."""
        for who, path in asks:
            self._same_as_ever(who, path, {})

    @rule(who=st.sampled_from(WHO), numbers=st.lists(st.integers(0, 10_000), min_size=3, max_size=6))
    def ask_again(self, who: str, numbers: list[int]) -> None:
        if asked := [path for path in self.known[who] if " " not in path]:
            for number in numbers:
                self._same_as_ever(who, asked[number % len(asked)], {})

    @rule(first=st.sampled_from(WHO), second=st.sampled_from(WHO), path=paths)
    def ask_with_the_tag_of_another(self, first: str, second: str, path: str) -> None:
        """Another's tag confirms nothing, unless it is one's own too."""
        theirs = self.clients[first].get(path).headers.get("etag")
        if theirs is None:
            return
        own = self.clients[second].get(path).headers.get("etag")
        answer = self.clients[second].get(path, headers={"If-None-Match": theirs})
        assert (answer.status_code == 304) == (own is not None and held(theirs, own) is not None)

    @rule(who=st.sampled_from(WHO), number=st.integers(0, 1), begin=st.integers(0, 3000))
    def read_a_part_of_a_file(self, who: str, number: int, begin: int) -> None:
        layer, name = self.world.files[number]
        path = f"/collections/{layer}/files/{name}"
        self._same_as_ever(who, path, {"Range": f"bytes={begin}-{begin + 99}"})

    @rule(
        province=st.sampled_from("AB"),
        category=st.sampled_from([1, 2, 3, 4]),
        x=st.floats(0, 1),
        y=st.floats(0, 1),
        word=values,
        uncertainty=st.sampled_from([11, 12, 77, 99]),
    )
    def move_a_record(
        self, province: str, category: int, x: float, y: float, word: str, uncertainty: int
    ) -> None:
        west, east = CELLS[category]
        south, north = SOUTH[category]
        lon, lat = WEST[province] + west + x * (east - west), 20 + south + y * (north - south)
        self._change(
            province,
            f"update gis.occurrence set geom = ST_SetSRID(ST_MakePoint({lon:.7f}, {lat:.7f}), 4326),"
            f" recorded_by = '{word}', locality = 'Hollow {x}',"
            f" coordinate_uncertainty_in_meters = {uncertainty}, information_withheld = 'Nest {y}'"
            f" where source_id = '{province}{category}'",
        )

    @rule(province=st.sampled_from("AB"), x=st.floats(0.1, 0.9), number=st.integers(1, 5))
    def add_a_record_of_the_highest_category(self, province: str, x: float, number: int) -> None:
        self._change(
            province,
            "insert into gis.occurrence"
            " (source_id, dataset_id, scientific_name, taxon_id, occurrence_id, geom)"
            f" select '{province}more{number}', dataset_id, 'Speciosus category1', 'taxon-1', 'SECRET',"
            f" ST_SetSRID(ST_MakePoint({WEST[province] + x:.6f}, 20.5), 4326)"
            " from gis.dataset where slug = 'open' and not exists"
            f" (select from gis.occurrence where source_id = '{province}more{number}')",
        )

    @rule(province=st.sampled_from("AB"), number=st.integers(1, 5))
    def withdraw_a_record_of_the_highest_category(self, province: str, number: int) -> None:
        self._change(province, f"delete from gis.occurrence where source_id = '{province}more{number}'")

    @rule(province=st.sampled_from("AB"), word=values, shift=st.floats(0, 0.01))
    def rename_what_is_closed(self, province: str, word: str, shift: float) -> None:
        west = WEST[province] + 0.4 + shift
        self._change(
            province,
            f"update gis.protected_area set name = '{word} {shift}',"
            f" geom = ST_Multi(ST_MakeEnvelope({west}, 20.7, {west + 0.2}, 20.9, 4326))"
            f" where source_id = 'closed-{province}'",
        )
        self._change(province, f"update gis.plot set observer = '{word}' where source_id = '{province}'")

    def _same_as_ever(self, who: str, path: str, headers: Mapping[str, str]) -> None:
        now = seen(self.clients[who].get(path, headers=headers))
        before = self.known[who].setdefault(" ".join((path, *headers.values())), now)
        assert now == before, f"{who} {path} {headers}"

    def _change(self, province: str, statement: str) -> None:
        self.world.change(statement)
        self.known[f"province-{province.lower()}"].clear()
