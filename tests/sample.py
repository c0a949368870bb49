"""A small world whose answers a reader can compute by hand, for tests of what each class may see.

Two provinces of one degree side by side, A (105-106 E, 20-21 N) and B (106-107 E, 20-21 N). In each: one
protected area of 0.2 degrees, one of a closed dataset, five occurrences of categories 0 to 4 around
(.05, .05) from its corner, one plot. Two ranges over both, one of a species of category 1.
"""

from gis_service.access.principal import PUBLIC, Principal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

CENTRE = Principal("centre", "full")
PROVINCE_A = Principal("province-a", "jurisdiction", ("A",))
PRINCIPALS = (PUBLIC, PROVINCE_A, CENTRE)

_DATASETS = """
insert into gis.dataset (slug, title, licence, redistribution, citation, basis) values
  ('open', 'Open sample', 'CC0-1.0', true, 'Sample', 'simulated'),
  ('closed', 'Closed sample', 'All rights reserved', false, 'Sample', 'simulated')
"""
_TAXA = """
insert into gis.taxon (taxon_id, scientific_name)
  select 'taxon-' || category, 'Speciosus category' || category from generate_series(0, 4) category
"""
_SENSITIVITY = """
insert into gis.sensitivity (taxon_id, category, reason, authority, review_date)
  select 'taxon-' || category, category, 'sample', 'sample', '2030-01-01' from generate_series(1, 4) category
"""
_PROVINCES = """
insert into gis.admin_unit (source_id, dataset_id, public_id, level, code, name, geom)
  select code, d.dataset_id, 'province-' || code, 'province', code, 'Province ' || code,
         ST_Multi(ST_MakeEnvelope(west, 20, west + 1, 21, 4326))
    from gis.dataset d, (values ('A', 105), ('B', 106)) p (code, west) where d.slug = 'open'
"""
_PROTECTED_AREAS = """
insert into gis.protected_area (source_id, dataset_id, public_id, name, name_eng, site_pid, geom)
  select d.slug || '-' || code, d.dataset_id, d.slug || '-' || code, 'Khu ' || d.slug || ' ' || code,
         'Area ' || d.slug || ' ' || code, d.slug || '-' || code,
         ST_Multi(ST_MakeEnvelope(west, south, west + 0.2, south + 0.2, 4326))
    from (values ('A', 105.4), ('B', 106.4)) p (code, west)
    join gis.dataset d on true
    join (values ('open', 20.4), ('closed', 20.7)) s (slug, south) on s.slug = d.slug
"""
_OCCURRENCES = """
insert into gis.occurrence
  (source_id, dataset_id, scientific_name, taxon_id, occurrence_id, recorded_by, locality, event_date,
   coordinate_uncertainty_in_meters, geom)
  select code || category, d.dataset_id, 'Speciosus category' || category, 'taxon-' || category,
         'SECRET-' || code || category, 'Recorder ' || code || category, 'Hollow ' || code || category,
         '2024-05-31T12:00:00Z', 12,
         ST_SetSRID(ST_MakePoint(west + 0.0512345 + category / 1000.0, 20.0512345), 4326)
    from gis.dataset d, (values ('A', 105), ('B', 106)) p (code, west), generate_series(0, 4) category
   where d.slug = 'open'
"""
_PLOTS = """
insert into gis.plot
  (source_id, dataset_id, location_id, name, observer, stratum, last_visit, established, geom)
  select code, d.dataset_id, 'PLOT-' || code, 'Plot ' || code, 'Observer ' || code, 'evergreen',
         '2024-05-31', '2020-01-01', ST_SetSRID(ST_MakePoint(west + 0.4321, 20.5321), 4326)
    from gis.dataset d, (values ('A', 105), ('B', 106)) p (code, west) where d.slug = 'open'
"""
_RANGES = """
insert into gis.species_range
  (source_id, dataset_id, public_id, sci_name, taxon_id, presence, origin, seasonal, geom)
  select 'range-' || category, d.dataset_id, 'range-' || category, 'Speciosus category' || category,
         'taxon-' || category, 1, 1, 1, ST_Multi(ST_MakeEnvelope(105.2, 20.2, 106.8, 20.8, 4326))
    from gis.dataset d, (values (0), (1)) c (category) where d.slug = 'open'
"""


def fill(dsn: str) -> None:
    """Put the sample into a database, in one transaction and so in one release."""
    statements = [
        _DATASETS, _TAXA, _SENSITIVITY, _PROVINCES, _PROTECTED_AREAS, _OCCURRENCES, _PLOTS, _RANGES,
        "select gis.ensure_jurisdiction_role('A'), gis.ensure_jurisdiction_role('B')",
    ]  # fmt: skip
    with SyncDatabase(dsn) as database:
        database.apply(statements)


def scalar(database: SyncDatabase, sql: str) -> object:
    """The first value of the first row."""
    return database.run(Query(sql))[0][0]
