"""Reading as of a release: tiles, documents, items, exports; and the rights of today over the past.

The world is that of tests.web.releasing. Tests that change it stand last.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import mapbox_vector_tile
import pytest

from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests import sample
from tests.conftest import Starter
from tests.web import releasing
from tests.web.releasing import History, counts, get

MVT = "application/vnd.mapbox-vector-tile"
AREA = "/collections/protected-areas/items"
# Zoom 6: open A at 105.4-105.6 E and open B at 106.4-106.6 E lie in one tile.
AREAS_TILE = "/xyz/protected-areas/6/{}/{}.mvt".format(*covering(BBox(106, 20.5, 106, 20.5), 6)[:2])


@pytest.fixture(scope="module")
def history(start_server: Starter, database: str) -> History:
    keys, proposal = releasing.make(database)
    return History(start_server(database), database, keys, proposal)


@pytest.fixture(scope="module")
def public(history: History) -> Iterator[httpx.Client]:
    with history.ask() as client:
        yield client


def tile(history: History, who: str, address: str, **headers: str) -> httpx.Response:
    with history.ask(who, **headers) as client:
        return client.get(address)


def features(answer: httpx.Response, layer: str) -> dict[str, Any]:
    """The features of a tile's layer by their ids; none where the tile is empty."""
    if answer.status_code == 204:
        return {}
    assert (answer.status_code, answer.headers["content-type"]) == (200, MVT), answer.text
    found = mapbox_vector_tile.decode(answer.content)[layer]["features"]
    return {str(each["properties"]["id"]): each for each in found}


def test_tiles_are_read_as_of_a_release(history: History) -> None:
    """Open area B was withdrawn by release 4; area A was renamed by release 2."""
    past = {n: features(tile(history, "public", f"{AREAS_TILE}?release={n}"), "protected-areas")
            for n in (1, 2, 4)}  # fmt: skip
    assert [sorted(past[n]) for n in past] == [["open-A", "open-B"], ["open-A", "open-B"], ["open-A"]]
    assert [past[n]["open-A"]["properties"]["name"] for n in past] == ["Khu open A", "Khu mới", "Khu mới"]
    assert len(features(tile(history, "bo", f"{AREAS_TILE}?release=1"), "protected-areas")) == 3
    assert len(features(tile(history, "duc", f"{AREAS_TILE}?release=1"), "protected-areas")) == 4
    z, x, y = AREAS_TILE.removesuffix(".mvt").split("/")[-3:]
    ogc = tile(history, "public", f"/collections/protected-areas/tiles/WebMercatorQuad/{z}/{y}/{x}?release=1")
    assert ogc.content == tile(history, "public", f"{AREAS_TILE}?release=1").content
    several = AREAS_TILE.replace("protected-areas", "provinces,protected-areas")
    both = tile(history, "public", f"{several}?release=1")
    assert sorted(mapbox_vector_tile.decode(both.content)) == ["protected-areas", "provinces"]
    present = tile(history, "public", f"{AREAS_TILE}?prerelease=1")
    assert features(present, "protected-areas").keys() == {"open-A"}
    for wrong, status in (("x", 400), ("0", 400), ("99", 404), ("1&release=2", 400)):
        assert tile(history, "public", f"{AREAS_TILE}?release={wrong}").status_code == status, wrong


def test_documents_of_the_past_stay_with_it(public: httpx.Client) -> None:
    """TileJSON, tilesets and the collection: counts, extents and addresses are of the release."""
    then, now = (public.get(f"/collections/protected-areas{query}").json() for query in ("?release=1", ""))
    assert (then["release"], then["itemCount"], now["itemCount"]) == (1, 2, 1)
    assert then["extent"]["spatial"]["bbox"] == [[105.4, 20.4, 106.6, 20.6]]
    assert now["extent"]["spatial"]["bbox"] == [[105.4, 20.4, 105.6, 20.6]]
    stays = [each for each in then["links"] if each["rel"] in ("items", "self") or "/tiles" in each["href"]]
    told = [each["href"] for each in stays]
    assert told
    assert all("release=1" in address for address in told)
    json = public.get("/xyz/protected-areas/tilejson.json?release=1").json()
    assert json["bounds"] == [105.4, 20.4, 106.6, 20.6]
    assert json["tiles"][0].endswith("{z}/{x}/{y}.mvt?release=1")
    for path in ("", "/WebMercatorQuad"):
        made = public.get(f"/collections/protected-areas/tiles{path}?release=1")
        assert "{tileMatrix}/{tileRow}/{tileCol}?release=1" in made.text
        assert public.get(f"/collections/protected-areas/tiles{path}?release=99").status_code == 404
    sources = public.get("/styles/overview?release=1").json()["sources"]
    assert sources["provinces"]["url"].endswith("/xyz/provinces/tilejson.json?release=1")
    assert [public.get(f"/styles/overview?release={n}").status_code for n in ("99", "x")] == [404, 400]
    page = public.get("/collections/protected-areas?release=1&f=html&lang=en").text
    assert "as of release 1" in page
    assert "/items?release=1" in page


def test_pages_of_the_past_say_so_and_stay_with_it(public: httpx.Client) -> None:
    """Area A, new by release 1, was renamed by release 2; whoever reads release 1 is told no other story."""
    page = public.get(f"{AREA}/open-A?release=1&f=html&lang=en").text
    assert "as of release 1" in page
    assert "Changed in release 2" in page
    assert "Withdrawn" not in page
    assert "/styles/overview?release=1" in page, "the map below is of that day too"
    assert f"{AREA}?release=1" in page
    rows = public.get(f"{AREA}?release=1&f=html&lang=en").text
    assert "as of release 1" in rows
    assert f"{AREA}/open-A?release=1" in rows
    today = re.search(r'<a href="([^"]+)">To what stands today', rows)
    assert today is not None
    assert "release" not in today[1]
    assert "as of release" not in public.get(f"{AREA}/open-A?f=html&lang=en").text


def test_items_of_the_past_are_filtered_sorted_walked_and_counted(public: httpx.Client) -> None:
    def ids(**given: str | int) -> list[str]:
        answer = public.get(AREA, params={"limit": 100, **given})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["features"]]

    assert ids(release=1, filter="name='Khu open A'") == ["open-A"]
    assert ids(release=2, filter="name='Khu open A'") == []
    assert ids(release=1, name="Khu open B") == ["open-B"]
    assert ids(release=1, sortby="-name") == ["open-B", "open-A"]
    assert ids(release=2, sortby="-name") == ["open-B", "open-A"]
    assert ids(release=1, bbox="106,20,107,21") == ["open-B"]
    assert ids(release=4, bbox="106,20,107,21") == []
    seen, address = [], f"{AREA}?release=1&limit=1"
    while address:
        page = public.get(address).json()
        seen += [each["id"] for each in page["features"]]
        address = next((each["href"] for each in page["links"] if each["rel"] == "next"), "")
    assert seen == ["open-A", "open-B"]
    token = re.search(r"after=([^&]*)", public.get(f"{AREA}?release=1&limit=1").headers["link"])
    assert token is not None
    assert public.get(f"{AREA}?release=2&limit=1&after={token[1]}").status_code == 400
    for number, matched in ((1, "2"), (4, "1")):
        answer = public.get(f"/collections/protected-areas/export?release={number}&f=csv")
        assert answer.headers["ogc-numbermatched"] == matched
        assert len(answer.text.strip().splitlines()) == 1 + int(matched)
        page = public.get(f"{AREA}?release={number}&f=html").text
        assert ("open-B" in page) == (number == 1)


def test_time_of_the_phenomenon_and_release_are_two_things(public: httpx.Client) -> None:
    """Records are of 31 May 2024; release 4 changed the count of one of them."""
    base = "/collections/occurrences/items?individualCount=7"
    for release, day, found in ((1, "2024-05-31", 0), (4, "2024-05-31", 1), (4, "2023-01-01", 0)):
        answer = public.get(f"{base}&release={release}&datetime={day}T00:00:00Z/{day}T23:59:59Z")
        assert answer.json()["numberMatched"] == found, (release, day)


def test_a_tile_of_the_past_keeps_its_tag_while_the_present_changes(history: History) -> None:
    first = tile(history, "public", f"{AREAS_TILE}?release=1")
    assert first.headers["cache-control"] == "public, max-age=60, must-revalidate"
    known = {"If-None-Match": first.headers["etag"]}
    with SyncDatabase(history.dsn) as database:
        database.apply(["update gis.protected_area set name_eng = 'Renamed A' where source_id = 'open-A'"])
    again = tile(history, "public", f"{AREAS_TILE}?release=1", **known)
    assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"])
    others = {tile(history, who, f"{AREAS_TILE}?release={n}").headers["etag"] for who, n in
              (("public", 2), ("public", 4), ("bo", 1), ("duc", 1))}  # fmt: skip
    assert len(others | {first.headers["etag"]}) == 5


def test_the_rights_of_today_close_the_past(history: History) -> None:
    """A taxon listed today is coarse in every past release, a licence closed today closes it; at once."""
    spot = covering(BBox(105.0512345, 20.0512345, 105.0512345, 20.0512345), 14)
    address = "/xyz/occurrences/14/{}/{}.mvt?release=1".format(*spot[:2])
    with SyncDatabase(history.dsn) as database:
        gid = sample.scalar(database, "select gid from gis.occurrence where source_id = 'A0'")
    item, areas = f"/collections/occurrences/items/{gid}?release=1", f"{AREA}?release=1"
    before = tile(history, "public", address)
    exact = features(before, "occurrences")[str(gid)]["geometry"]
    assert tile(history, "public", item).json()["geometry"]["coordinates"] == [105.0512345, 20.0512345]
    old = tile(history, "public", f"{AREAS_TILE}?release=1")
    counted = counts(get(history, "public", "/releases/1"))["protected-areas"]

    listing = (
        "insert into gis.sensitivity (taxon_id, category, reason, authority, review_date)"
        " values ('taxon-0', 2, 'sample', 'sample', '2030-01-01')"
    )
    with SyncDatabase(history.dsn) as database:
        database.apply([listing, "update gis.dataset set redistribution = false where slug = 'open'"])
    wait_for_rights(history)
    assert tile(history, "public", item).status_code == 404
    assert tile(history, "bo", item).json()["geometry"]["coordinates"] == [105.0512345, 20.0512345]
    assert tile(history, "public", areas).json()["numberMatched"] == 0
    for etag in (old.headers["etag"], before.headers["etag"]):
        gone = tile(history, "public", f"{AREAS_TILE}?release=1", **{"If-None-Match": etag})
        assert (gone.status_code, gone.content) == (204, b"")
    assert get(history, "public", "/releases/1")["collections"] == []
    assert tile(history, "public", f"{AREA}/open-A/history").status_code == 404

    with SyncDatabase(history.dsn) as database:
        database.apply(["update gis.dataset set redistribution = true where slug = 'open'"])
    wait_for_rights(history)
    assert tile(history, "public", item).json()["geometry"]["coordinates"] == [105.05, 20.05]
    coarse = features(tile(history, "public", address), "occurrences")[str(gid)]["geometry"]
    assert coarse != exact, "the centre of a cell of 0.1 degree, which lies in this tile too"
    assert tile(history, "public", address, **{"If-None-Match": before.headers["etag"]}).status_code != 304
    export = tile(history, "public", "/collections/occurrences/export?release=1&f=csv").text
    assert "105.0512345" not in export
    assert counts(get(history, "public", "/releases/1"))["protected-areas"] == counted


def wait_for_rights(history: History) -> None:
    """Workers read rights anew after 0.9 s at the latest."""
    time.sleep(1)
