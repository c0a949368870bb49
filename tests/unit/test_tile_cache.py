"""Which kept tiles a change touches, and that the memory for them is bounded."""

from gis_service.db.tile_feed import Change
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import Tile, covering
from gis_service.tiles.cache import OVERHEAD, Kept, Place, Source, TileCache

AREAS = "gis.protected_area"
PUBLIC = (Source(AREAS, frozenset({"public"})),)
PROVINCE = (Source(AREAS, frozenset({"public", "j:A"})),)
SPOT = (105.5, 20.5, 105.5, 20.5)


def kept(place: Place, of: tuple[Source, ...] = PUBLIC, body: bytes = b"x") -> Kept:
    return Kept(200, body, (), place, of, tag='"x"')


def cache(most: int = 1_000_000) -> TileCache:
    """Every tile of zooms 0 to 5, and those around a spot of zoom 14."""
    made = TileCache(most)
    for zoom in range(6):
        for x in range(1 << zoom):
            for y in range(1 << zoom):
                made.put((zoom, x, y), kept(Tile(zoom, x, y)))
    x, y, *_ = covering(BBox(*SPOT), 14)
    for column in range(x - 2, x + 3):
        made.put((14, column, y), kept(Tile(14, column, y)))
    return made


def test_a_change_touches_the_tiles_at_its_place_on_every_zoom_and_no_others() -> None:
    gone = cache(10_000_000).purge(Change(AREAS, "public", SPOT))
    assert sorted(gone) == sorted((zoom, *covering(BBox(*SPOT), zoom)[:2]) for zoom in (*range(6), 14))


def test_a_change_at_the_edge_of_a_tile_touches_its_neighbour_whose_buffer_shows_it() -> None:
    x, y, *_ = covering(BBox(*SPOT), 14)
    box = Tile(14, x, y).lonlat()
    edge = (box.east - 1e-5, box.south + 0.01, box.east - 1e-5, box.south + 0.01)
    gone = cache(10_000_000).purge(Change(AREAS, "public", edge))
    assert {key for key in gone if key[0] == 14} == {(14, x, y), (14, x + 1, y)}


def test_a_wide_change_touches_all_within_and_so_does_one_of_many_boxes() -> None:
    world = (-180.0, -90.0, 180.0, 90.0)
    assert len(cache(10_000_000).purge(Change(AREAS, "public", world))) == 1365 + 5
    many = [float(n) for west in range(-180, 180) for n in (west, -90, west + 1, 90)]
    assert len(cache(10_000_000).purge(Change(AREAS, "public", many))) == 1365 + 5


def test_a_change_leaves_tiles_of_classes_that_do_not_see_it() -> None:
    made = TileCache(1_000_000)
    tile = Tile(8, *covering(BBox(*SPOT), 8)[:2])
    made.put(("public",), kept(tile))
    made.put(("province",), kept(tile, PROVINCE))
    made.put(("plots",), kept(tile, (Source("gis.plot", frozenset({"public"})),)))
    assert set(made.purge(Change(AREAS, "j:A", SPOT))) == {("province",)}
    assert made.get(("public",)) is not None
    assert set(made.purge(Change(AREAS, "*", SPOT))) == {("public",)}
    assert made.get(("plots",)) is not None


def test_a_tile_of_another_grid_goes_by_its_box() -> None:
    made = TileCache(1_000_000)
    made.put(("near",), kept(BBox(105, 20, 106, 21)))
    made.put(("far",), kept(BBox(107, 20, 108, 21)))
    assert set(made.purge(Change(AREAS, "public", SPOT))) == {("near",)}


def test_what_was_used_longest_ago_makes_room_and_its_paths_go_with_it() -> None:
    evicted: list[int] = []
    made = TileCache(3 * (OVERHEAD + 100), evicted.append)
    for n in range(3):
        made.put((n,), kept(Tile(8, n, 0), body=b"x" * 100))
        made.name((n,), f"/{n}")
    assert made.at("/0") is not None
    made.put((3,), kept(Tile(8, 3, 0), body=b"x" * 100))
    assert (made.at("/0") is None, made.at("/1")) == (False, None)
    made.put((4,), kept(Tile(8, 4, 0), body=b"x" * 10_000))
    assert (made.get((4,)), len(made), sum(evicted)) == (None, 3, 1)
    assert made.share <= 1


def test_a_purged_tile_leaves_nothing_behind() -> None:
    made = cache(10_000_000)
    for zoom in (*range(6), 14):
        made.purge(Change(AREAS, "public", (-180.0, -90.0, 180.0, 90.0)))
        assert (len(made), made.share) == (0, 0.0)
        made.put(("again", zoom), kept(Tile(5, 1, 1)))
    assert len(made.purge(Change(AREAS, "public", (-180.0, -90.0, 180.0, 90.0)))) == 1
