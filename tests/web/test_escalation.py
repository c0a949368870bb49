"""Ways round the policy: each asks for what the caller may not have, by another door than the plain one."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import psycopg
import pytest

from gis_service.access import accounts, keystore
from gis_service.access.accounts import NewAccount
from gis_service.access.principal import Scope
from gis_service.db.sync import SyncDatabase
from gis_service.geo.bbox import BBox
from gis_service.geo.tiles import covering
from tests.conftest import Starter
from tests.web.leaks import world as worlds
from tests.web.leaks.world import World

OCCURRENCES = "/collections/occurrences/items"
PLOTS = "/collections/plots/items"
HIGHEST = 14  # zoom at which records are drawn
SECONDS = 1.0  # until which a change of rights may be unseen


@pytest.fixture(scope="module")
def world(start_server: Starter, database: str) -> World:
    keys = worlds.fill(database)
    made = World(start_server(database), database, keys)
    made.of_b = made.numbers("select gid from gis.occurrence where jurisdiction = '{B}' order by gid")
    return made


@pytest.fixture(scope="module")
def public(world: World) -> Iterator[httpx.Client]:
    with world.ask("public") as client:
        yield client


@pytest.fixture(scope="module")
def province(world: World) -> Iterator[httpx.Client]:
    with world.ask("province-a") as client:
        yield client


HIDDEN_COLUMNS = (
    "recordedBy", "locality", "occurrenceID", "geom_public", "sensitivity", "jurisdiction", "restricted",
    "rev", "release_from", "uncertainty_public", "taxon_id", "extra",
)  # fmt: skip
WAYS = ("sortby={}", "sortby=-{}", "properties={}", "{}=1", "filter={}%20IS%20NULL", "filter=casei({})='x'")


@pytest.mark.parametrize("name", HIDDEN_COLUMNS)
def test_a_hidden_column_is_refused_as_one_that_nobody_has(public: httpx.Client, name: str) -> None:
    """Word for word but for its name, in pages and in exports."""
    for way in WAYS:
        for path in (OCCURRENCES, "/collections/occurrences/export"):
            hidden, unknown = (public.get(f"{path}?{way.format(each)}") for each in (name, "n" * len(name)))
            assert hidden.status_code == 400, way
            assert hidden.text.replace(name, "n" * len(name)) == unknown.text, way


def test_the_geometry_that_filters_name_is_the_one_that_is_shown(public: httpx.Client) -> None:
    for name in ("geom", "geometry"):
        for around, found in (
            ("105.0532,20.0512,105.0533,20.0513", 0),
            ("105.0499,20.0499,105.0501,20.0501", 1),
        ):
            condition = quote(f"S_INTERSECTS({name}, BBOX({around}))")
            assert public.get(f"{OCCURRENCES}?filter={condition}").json()["numberReturned"] == found


@pytest.mark.parametrize("name", ["recordedBy", "locality", "occurrenceID"])
def test_what_lists_the_columns_lists_none_that_is_hidden(public: httpx.Client, name: str) -> None:
    base = "/collections/occurrences"
    parts = (
        "",
        "/queryables",
        "/sortables",
        "/schema",
        "/schema/geojson",
        "/tiles/WebMercatorQuad",
        "?f=html",
    )
    for path in (*(base + part for part in parts), "/api", "/xyz/occurrences/tilejson.json"):
        assert name not in public.get(path).text, path


@pytest.mark.parametrize(
    "query",
    [
        "limit=100", "limit=100&crs=EPSG:3405", "limit=100&crs=EPSG:32648&zoom-level=22",
        "limit=100&zoom-level=0", "limit=100&release=1", "limit=100&f=jsonfg", "limit=100&f=csv&properties=",
        "limit=100&datetime=2024-05-31T12:00:00Z",
    ],
)  # fmt: skip
def test_no_way_to_ask_brings_a_hidden_place(public: httpx.Client, query: str) -> None:
    """None of the exact digits of rows of categories 2 to 4, and nothing of category 1."""
    text = public.get(f"{OCCURRENCES}?{query}").text
    for hidden in ("105.0532345", "105.0542345", "105.0552345", "106.0532345", "SECRET", "category1"):
        assert hidden not in text


def test_points_of_a_cell_are_one_point_in_every_system(public: httpx.Client) -> None:
    """A cell's centre is brought to the system that is asked for, not the place in it."""
    degrees = public.get(f"{OCCURRENCES}?limit=100&scientificName=Speciosus%20category2").json()["features"]
    assert [each["geometry"]["coordinates"] for each in degrees] == [[105.05, 20.05], [106.05, 20.05]]
    metres = public.get(f"{OCCURRENCES}?limit=100&scientificName=Speciosus%20category2&crs=EPSG:3857").json()[
        "features"
    ]
    x, y = metres[0]["geometry"]["coordinates"]
    assert (round(x), round(y)) == (round(105.05 * 111319.490793), 2278955)  # of 20.05 N


def test_a_hidden_row_answers_like_none_by_every_method(world: World) -> None:
    """What a province asks of a neighbour's row of category 1, and of one that never was."""
    never = 999_999
    hidden = world.numbers("select gid from gis.occurrence where source_id = 'B1'")[0]
    with world.ask("province-a") as client:
        for method, path in (
            ("GET", ""), ("GET", "?f=html"), ("GET", "/history"), ("GET", "?release=1"),
            ("GET", "?crs=EPSG:3405"), ("DELETE", ""), ("PATCH", ""), ("PUT", ""), ("OPTIONS", ""),
        ):  # fmt: skip
            body = '{"type": "Feature", "properties": {}}' if method in ("PUT", "PATCH") else None
            headers = {"content-type": "application/geo+json"} if method == "PUT" else {
                "content-type": "application/merge-patch+json"}  # fmt: skip
            answers = [
                client.request(
                    method, f"{OCCURRENCES}/{gid}{path}", content=body, headers=headers if body else {}
                )
                for gid in (hidden, never)
            ]
            first, second = (
                (a.status_code, a.text.replace(str(gid), "ID"), a.headers.get("allow"))
                for a, gid in zip(answers, (hidden, never), strict=True)
            )
            assert first == second, f"{method} {path}"


def test_a_bisection_by_boxes_ends_in_the_cell(public: httpx.Client) -> None:
    """Halving a box by whether it holds the row finds the centre of the cell, never the place."""
    name = quote("Speciosus category2")
    west, south, east, north = 105.0, 20.0, 105.1, 20.1
    for step in range(40):
        middle = (west + east) / 2 if step % 2 == 0 else (south + north) / 2
        half = (west, south, middle, north) if step % 2 == 0 else (west, south, east, middle)
        box = ",".join(f"{v:.9f}" for v in half)
        found = public.get(f"{OCCURRENCES}?bbox={box}&scientificName={name}&properties=&skipGeometry=true")
        inside = found.json()["numberReturned"] > 0
        if step % 2 == 0:
            west, east = (west, middle) if inside else (middle, east)
        else:
            south, north = (south, middle) if inside else (middle, north)
    assert abs(west - 105.05) < 1e-6
    assert abs(south - 20.05) < 1e-6


def test_tiles_of_the_highest_zoom_hold_the_cell_s_centre(world: World) -> None:
    exact = BBox(105.0532345, 20.0512345, 105.0532346, 20.0512346)
    centre = BBox(105.0500001, 20.0500001, 105.0500002, 20.0500002)
    with world.ask("public") as public, world.ask("province-a") as province:
        at_exact, at_centre = (covering(box, HIGHEST)[:2] for box in (exact, centre))
        address = f"/xyz/occurrences/{HIGHEST}/{{}}/{{}}.mvt"
        assert b"category2" not in public.get(address.format(*at_exact)).content
        assert b"category2" in public.get(address.format(*at_centre)).content
        assert b"category2" in province.get(address.format(*at_exact)).content


@pytest.mark.parametrize(
    "path",
    [
        f"{OCCURRENCES}?key={{}}", f"{OCCURRENCES}?api_key={{}}", f"{OCCURRENCES}?apikey={{}}",
        f"{OCCURRENCES}?access_token={{}}", f"{OCCURRENCES}?X-API-Key={{}}", f"{OCCURRENCES}?token={{}}",
        "/?api_key={}", "/jobs?access_token={}",
    ],
)  # fmt: skip
def test_a_key_in_an_address_opens_nothing_and_is_refused(world: World, path: str) -> None:
    answer = httpx.get(world.url + path.format(world.keys["centre"]))
    assert answer.status_code == 400
    assert str(world.keys["centre"]) not in answer.text


def test_keys_that_are_forged_expired_or_revoked_are_refused(world: World) -> None:
    key = str(world.keys["centre"])
    with SyncDatabase(world.dsn) as database:
        past = datetime.now(UTC) - timedelta(seconds=1)
        expired = keystore.create(database, "centre", "past", expires=past)
        revoked = keystore.create(database, "centre", "revoked")
        number = next(each.number for each in keystore.listed(database) if each.label == "revoked")
        keystore.revoke(database, number)
    time.sleep(SECONDS)
    forged = (
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        key.upper(),
        key + "x",
        "gis_" + "0" * 43,
    )
    for wrong in (expired, revoked, *forged):
        for headers in ({"X-API-Key": wrong}, {"Authorization": f"Bearer {wrong}"}):
            answer = httpx.get(f"{world.url}{PLOTS}", headers=headers)
            assert answer.status_code == 401, wrong
            assert wrong not in answer.text
    assert httpx.get(f"{world.url}{PLOTS}", headers={"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_is_none_of_ours_is_no_key(world: World, algorithm: str) -> None:
    """A JWT, whatever it says of itself, is looked up as a key and isn't found."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": algorithm, "typ": "JWT"}, {"sub": "centre", "tier": "full"})
    )
    answer = httpx.get(f"{world.url}{PLOTS}", headers={"Authorization": f"Bearer {head}.{body}."})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header", ["X-Forwarded-User", "X-Remote-User", "X-Principal", "Remote-User", "X-Role"]
)
def test_no_header_names_a_principal(world: World, header: str) -> None:
    plain = httpx.get(f"{world.url}{PLOTS}?limit=100").json()["features"]
    asked = httpx.get(
        f"{world.url}{PLOTS}?limit=100", headers={header: "centre", "Cookie": "principal=centre"}
    )
    assert asked.json()["features"] == plain


def test_a_key_without_the_scope_neither_edits_nor_reviews_nor_administers(world: World) -> None:
    scopes: tuple[Scope, ...] = ("read",)
    with SyncDatabase(world.dsn) as database:
        reads = keystore.create(database, "province-a", "reads", scopes=scopes)
        central = keystore.create(database, "centre", "reads", scopes=scopes)
    own = world.numbers("select gid from gis.occurrence where source_id = 'A0'")[0]
    merge = {"X-API-Key": reads, "content-type": "application/merge-patch+json"}
    change = '{"properties": {"individualCount": 3}}'
    time.sleep(SECONDS)
    assert httpx.get(f"{world.url}{OCCURRENCES}/{own}", headers={"X-API-Key": reads}).status_code == 200
    assert httpx.patch(f"{world.url}{OCCURRENCES}/{own}", content=change, headers=merge).status_code == 403
    undone = httpx.post(f"{world.url}/releases/2/rollback", json={}, headers={"X-API-Key": central})
    assert undone.status_code == 403


def test_a_role_that_ended_or_moved_takes_its_sight_along(world: World) -> None:
    """An account that reads for A, then for B, then for nobody: each time by the next second."""
    with SyncDatabase(world.dsn) as database:
        accounts.create(database, NewAccount("moves"))
        key = keystore.create(database, "moves")
        seen = []
        for organisation in ("dept-a", "dept-b"):
            accounts.grant(database, "moves", organisation, "reader")
            time.sleep(SECONDS)
            seen.append(_names(world, key))
            accounts.revoke(database, "moves", organisation, "reader")
        time.sleep(SECONDS)
        seen.append(_names(world, key))
    assert seen == [{"Plot A"}, {"Plot B"}, set()]


def _names(world: World, key: str) -> set[str]:
    features = httpx.get(f"{world.url}{PLOTS}?limit=100", headers={"X-API-Key": key}).json()["features"]
    return {name for each in features if "Plot" in (name := str(each["properties"].get("name")))}


SQL = (
    "select geom from gis.occurrence",
    "select * from gis.occurrence",
    "select count(*) from gis.occurrence where recorded_by is null",
    "select geom from gis_history.occurrence",
    "select * from gis.api_key",
    "select * from gis.principal",
    "select * from gis.account",
    "select * from gis.membership",
    "select * from gis.audit",
    "select * from gis.audit_intake",
    "select * from gis.read_minute",
    "select version from gis.layer_version",
    "select inserted from gis.load",
    "select note from gis.release",
    "select * from gis.release_manifest",
    "select * from gis.proposal",
    "select * from gis.proposal_change",
    "select * from gis.sensitivity",
    "select * from gis_queue.job",
    "select * from gis_queue.job_document",
    "select gis.seal_reads(true)",
    "select gis.note_reads('[]')",
    "select gis.exact_reads('occurrence', '{1}', null)",
    "select gis.record_audit('x', 'y')",
    "select gis.raise_class_versions('occurrence', '{public}')",
    "select gis.refresh_jurisdictions('occurrence')",
    "select gis.ensure_jurisdiction_role('B')",
    "select gis.rollback_release(2)",
    "insert into gis.plot (gid) values (1)",
    "update gis.plot set stratum = 'x'",
    "delete from gis.plot",
    "truncate gis.plot",
    "create table gis.x (a int)",
    "create table public.x (a int)",
    "create function public.x() returns int language sql as 'select 1'",
    "alter role gis_public superuser",
    "set session authorization gis",
    "copy gis.plot to program 'id'",
    "copy (select 1) to '/tmp/x'",
    "select pg_read_file('/etc/passwd')",
    "select lo_import('/etc/passwd')",
)


@pytest.fixture(scope="module")
def logins(world: World) -> Iterator[dict[str, str]]:
    """Users of the database that are members of a class's role and of nothing else, as pygeoapi's is."""
    made = {"gis_public": "leak_public", "gis_j_a": "leak_a"}
    with SyncDatabase(world.dsn) as database:
        for role, login in made.items():
            database.apply([f"create role {login} login", f"grant {role} to {login}"])
    yield {role: psycopg.conninfo.make_conninfo(world.dsn, user=login) for role, login in made.items()}
    with SyncDatabase(world.dsn) as database:
        database.apply([f"drop role {login}" for login in made.values()])


@pytest.mark.parametrize("role", ["gis_public", "gis_j_a"])
def test_a_class_s_role_can_do_nothing_but_read_its_columns(logins: dict[str, str], role: str) -> None:
    own = {"gis_j_a": SQL[:1] + SQL[3:4]}.get(
        role, ()
    )  # a province has the column; its policy picks the rows
    with psycopg.connect(logins[role], autocommit=True) as connection:
        for sql in SQL:
            if sql in own or (role == "gis_j_a" and "recorded_by" in sql):
                continue
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(sql.encode())
            assert refused.value.sqlstate in ("42501", "42P01", "42883"), f"{sql}: {refused.value}"
        for other in ("gis_full", "gis_j_b", "gis", "postgres"):
            with pytest.raises(psycopg.Error):
                connection.execute(f"set role {other}".encode())


def test_a_province_s_role_counts_no_row_of_another_that_the_public_doesn_t_see(
    logins: dict[str, str],
) -> None:
    with psycopg.connect(logins["gis_j_a"], autocommit=True) as connection:
        connection.execute("set role gis_j_a")
        counted = connection.execute("select count(*) from gis.occurrence").fetchone()
    assert counted == (9,)
