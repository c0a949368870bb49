"""Changes that some may not notice: of rows, and of what a province alone may know of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gis_service.access import invitations, keystore
from gis_service.db.sync import SyncDatabase
from tests.web.leaks.world import World

# What the public may not see: categories 1 to 4 moved (2 to 4 within their cells), names of people and
# places, what sensitive records say of their own exactness (12 m and 77 m are both told as 100), the closed
# dataset's areas, the exact place of plots (within its cell).
CHANGES = (
    ("occurrence", "geom = ST_Translate(geom, 0.2, 0.2)", "taxon_id = 'taxon-1'"),
    ("occurrence", "geom = ST_Translate(geom, 0.02, 0.02)", "taxon_id = 'taxon-2'"),
    ("occurrence", "geom = ST_Translate(geom, 0.004, 0.003)", "taxon_id = 'taxon-3'"),
    ("occurrence", "geom = ST_Translate(geom, 0.0004, 0.0003)", "taxon_id = 'taxon-4'"),
    ("occurrence", "recorded_by = 'Other', locality = 'Elsewhere', occurrence_id = 'OTHER-' || gid", "true"),
    (
        "occurrence",
        "coordinate_uncertainty_in_meters = 77, data_generalizations = 'Nest', information_withheld = 'Nest'",
        "sensitivity > 0",
    ),
    # onto an open one, whose area may then be summed of other pieces
    ("protected_area", "geom = ST_Translate(geom, 0.05, -0.2137), name = 'Khu khác ' || gid", "restricted"),
    ("plot", "geom = ST_Translate(geom, 0.01, 0.01), observer = 'Other', name = 'Other ' || gid", "true"),
    ("plot", "data_generalizations = 'Nest', information_withheld = 'Nest'", "true"),
    ("species_range", "geom = ST_Translate(geom, 0.1, 0)", "taxon_id = 'taxon-1'"),
)


def statements(province: str) -> list[str]:
    """Changes of rows in the province alone, which hide them from the public and from the other one."""
    only = f"jurisdiction = array['{province}']"
    return [f"update gis.{table} set {what} where {which} and {only}" for table, what, which in CHANGES]


def edit(world: World) -> None:
    """A draft through the API: a row is changed, another withdrawn, a new one made."""
    base = "/collections/occurrences/items"
    changed, gone = world.numbers("select gid from gis.occurrence where source_id in ('A0', 'A1') order by 1")
    place = {"type": "Point", "coordinates": [105.7, 20.7]}
    new = {"type": "Feature", "geometry": place, "properties": {"scientificName": "Speciosus category1"}}
    merge = {"content-type": "application/merge-patch+json"}
    with world.ask("province-a") as client:
        change = {"properties": {"individualCount": 3}}
        answers = [
            client.patch(f"{base}/{changed}", json=change, headers=merge),
            client.delete(f"{base}/{gone}"),
            client.post(base, json=new, headers={"content-type": "application/geo+json"}),
        ]
    assert [answer.status_code // 100 for answer in answers] == [2, 2, 2], [each.text for each in answers]


def invite(world: World) -> None:
    """A key for somebody of A, and an invitation to it."""
    ends = datetime.now(UTC) + timedelta(days=1)
    with SyncDatabase(world.dsn) as database:
        keystore.create(database, "province-a", "hidden")
        invitations.invite(database, "hidden@example.org", "dept-a", "reader", ends)


# What province A does that neither the public nor province B may notice; each area adds its own.
happenings: list[Callable[[World], None]] = [edit, invite]
