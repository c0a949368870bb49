"""The list of sensitive taxa for those who keep it: reviews that are due, entries without an authority."""

from __future__ import annotations

from collections.abc import Iterable

from gis_service.catalog.layer import Layer
from gis_service.db import introspect
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

LIST = "gis.sensitivity"
_NAMED = 20  # overdue reviews, the longest first
_OVERDUE = Query(
    """
    select t.scientific_name, coalesce(s.jurisdiction, ''), s.category, s.review_date::text,
           coalesce(s.authority, ''), count(*) over ()
      from gis.sensitivity s join gis.taxon t using (taxon_id)
     where s.review_date < current_date
     order by s.review_date, t.scientific_name, s.jurisdiction limit $1
    """,
    (_NAMED,),
)
_UNANSWERED = Query("select count(*) from gis.sensitivity where authority is null")
# Words and numbers of a record that may tell its place (Chapman 2020; what withheld_public names).
TELLING = frozenset(
    {
        "catalog_number", "coordinate_uncertainty_in_meters", "data_generalizations", "event_id",
        "footprint_wkt", "identified_by", "information_withheld", "locality", "occurrence_id",
        "occurrence_remarks", "recorded_by", "verbatim_coordinates",
    }
)  # fmt: skip


def notes(database: SyncDatabase) -> Iterable[str]:
    """Reviews that are overdue, whose categories stay in force; how many entries name no authority."""
    found = introspect.table(database, LIST)
    if found is None or "authority" not in found.columns:
        return  # a database that isn't migrated yet
    rows = database.run(_OVERDUE)
    for name, jurisdiction, category, due, authority, _ in rows:
        where = f" in {jurisdiction}" if jurisdiction else ""
        who = f" by {authority}" if authority else ""
        entry = f"category {category} of {name}{where}"
        yield f"{LIST}: {entry} was to be reviewed{who} by {due}; it stays in force"
    if rows and rows[0][-1] > len(rows):
        yield f"{LIST}: {rows[0][-1] - len(rows)} more reviews are overdue"
    if (unanswered := database.run(_UNANSWERED)[0][0]) > 0:
        yield f"{LIST}: {unanswered} entries name no authority"


def telling(layer: Layer) -> Iterable[str]:
    """Properties that the public reads beside coarse positions, though they may tell the exact ones."""
    public = layer.access.public
    if public is None or public.geometry is None or not layer.sensitive:
        return
    for name in layer.properties:
        if layer.column_of(name) in TELLING and name not in public.hide and name not in public.replace:
            yield f"the public reads property {name} of sensitive rows, which may tell their exact place"
