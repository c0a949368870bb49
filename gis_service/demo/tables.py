"""The demo's rows of plain tables: taxa with sensitivities, targets, a sampling design, visits, measurements.

Each statement takes its rows as one JSON document and leaves alone what is there already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.demo import simulate
from gis_service.demo.files import SOURCES, TARGETS, rows_of
from gis_service.demo.plots import AREA_M2, REVISIT_MONTHS, STRATA, Simulated
from gis_service.demo.simulate import TAXA

PROGRAMME: Final = "SIM-PLOTS"
DESIGN: Final = "stratified-random"
REVIEW: Final = "2030-01-01"

_TAXA: Final = """
    insert into gis.taxon (taxon_id, scientific_name, taxon_rank, taxonomic_status, vernacular_name,
                           vernacular_name_vi)
    select taxon_id, scientific_name, 'species', 'accepted', vernacular_name, vernacular_name_vi
      from jsonb_to_recordset($1::text::jsonb)
        as x(taxon_id text, scientific_name text, vernacular_name text, vernacular_name_vi text)
    on conflict do nothing returning taxon_id
"""
_SENSITIVITY: Final = """
    insert into gis.sensitivity (taxon_id, jurisdiction, category, reason, authority, review_date, source)
    select * from jsonb_to_recordset($1::text::jsonb)
      as x(taxon_id text, jurisdiction text, category smallint, reason text, authority text,
           review_date date, source text)
    on conflict do nothing returning sensitivity_id
"""
_TARGETS: Final = """
    insert into gis.target (code, title, title_vi, definition, definition_vi, value, value_to, unit, year,
                            decision, decision_date, source)
    select * from jsonb_to_recordset($1::text::jsonb)
      as x(code text, title text, title_vi text, definition text, definition_vi text, value float8,
           value_to float8, unit text, year int, decision text, decision_date date, source text)
    on conflict do nothing returning target_id
"""
_PROGRAMME: Final = """
    insert into gis.programme (code, title, title_vi, purpose) values ($1, $2, $3, $4)
    on conflict do nothing returning programme_id
"""
_DESIGN: Final = """
    insert into gis.design (programme_id, code, title, frame, frame_area_km2, selection_method, plot_shape,
                            plot_area_m2, revisit_months)
    select programme_id, $2, $3, $4, $5, 'stratified random', 'square', $6, $7
      from gis.programme where code = $1
    on conflict do nothing returning design_id
"""
_STRATA: Final = """
    insert into gis.stratum (design_id, code, title, title_vi, frame_area_km2, planned_plots)
    select d.design_id, x.code, x.title, x.title_vi, x.frame_area_km2, x.planned_plots
      from jsonb_to_recordset($1::text::jsonb)
        as x(code text, title text, title_vi text, frame_area_km2 float8, planned_plots int),
           gis.design d join gis.programme p using (programme_id)
     where p.code = $2 and d.code = $3
    on conflict do nothing returning stratum_id
"""
_STRATUM_IDS: Final = """
    select s.code, s.stratum_id, d.design_id
      from gis.stratum s join gis.design d using (design_id) join gis.programme p using (programme_id)
     where p.code = $1 and d.code = $2
"""
_VISITS: Final = """
    insert into gis.visit (dataset_id, plot_gid, event_id, location_id, event_type, event_date,
                           sampling_protocol, sample_size_value, sample_size_unit, is_abundance_reported,
                           sampling_performed_by, event_remarks)
    select p.dataset_id, p.gid, x.*
      from jsonb_to_recordset($1::text::jsonb)
        as x(event_id text, location_id text, event_type text, event_date date, sampling_protocol text,
             sample_size_value float8, sample_size_unit text, is_abundance_reported boolean,
             sampling_performed_by text, event_remarks text)
      join gis.plot p using (location_id) join gis.dataset d on d.dataset_id = p.dataset_id and d.slug = $2
    on conflict do nothing returning visit_id
"""
_MEASUREMENTS: Final = """
    insert into gis.measurement (dataset_id, visit_id, measurement_id, event_id, organism_id,
                                 measurement_type, measurement_value, measurement_unit,
                                 measurement_determined_date, measurement_remarks)
    select v.dataset_id, v.visit_id, x.*
      from jsonb_to_recordset($1::text::jsonb)
        as x(measurement_id text, event_id text, organism_id text, measurement_type text,
             measurement_value text, measurement_unit text, measurement_determined_date date,
             measurement_remarks text)
      join gis.visit v using (event_id) join gis.dataset d on d.dataset_id = v.dataset_id and d.slug = $2
    on conflict do nothing returning measurement_key
"""


def save_taxa(database: SyncDatabase) -> int:
    """Add the simulated taxa and their categories; gives the number of taxa."""
    taxa = [
        {
            "taxon_id": taxon.taxon_id,
            "scientific_name": taxon.scientific_name,
            "vernacular_name": f"Simulated species {taxon.number:02d}",
            "vernacular_name_vi": taxon.vernacular_name_vi,
        }
        for taxon in TAXA
    ]
    categories = [
        {
            "taxon_id": taxon.taxon_id,
            "jurisdiction": taxon.jurisdiction,
            "category": taxon.category,
            "reason": "Simulated, to show what the category does",
            "authority": "Nobody: simulated",
            "review_date": REVIEW,
            "source": simulate.NOTE,
        }
        for taxon in TAXA
        if taxon.category
    ]
    _save(database, _TAXA, taxa)
    _save(database, _SENSITIVITY, categories)
    return len(taxa)


def save_targets(database: SyncDatabase) -> int:
    """Add the national targets, each with its definition and the sources that were read."""
    sources = {row["key"]: f"{row['title']} <{row['url']}>" for row in rows_of(SOURCES)}
    targets = [{key: value or None for key, value in row.items()} for row in rows_of(TARGETS)]
    for target in targets:
        target["source"] = "; ".join(sources[key] for key in str(target["source"]).split("; "))
    _save(database, _TARGETS, targets)
    return len(targets)


def save_design(database: SyncDatabase, seen: Simulated) -> Mapping[str, tuple[int, int]]:
    """Add the programme, its design and strata; gives the ids of stratum and design by stratum's code."""
    frame = "Land inside the indicative protected areas of the demo, in three belts of latitude"
    named = (PROGRAMME, "Simulated monitoring programme", "Chương trình giám sát mô phỏng", simulate.NOTE)
    database.run(Query(_PROGRAMME, named))
    total = round(sum(seen.frame_area_km2.values()), 3)
    title = "Simulated stratified random design"
    database.run(Query(_DESIGN, (PROGRAMME, DESIGN, title, frame, total, AREA_M2, REVISIT_MONTHS)))
    strata = [
        {
            "code": each.code,
            "title": each.title,
            "title_vi": each.title_vi,
            "frame_area_km2": seen.frame_area_km2[each.code],
            "planned_plots": each.plots,
        }
        for each in STRATA
    ]
    _save(database, _STRATA, strata, PROGRAMME, DESIGN)
    rows = database.run(Query(_STRATUM_IDS, (PROGRAMME, DESIGN)))
    return {code: (stratum, design) for code, stratum, design in rows}


def placed(seen: Simulated, design: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """The plots with the ids of their stratum and design."""
    return [
        {**plot, "stratum_id": design[plot["stratum"]][0], "design_id": design[plot["stratum"]][1]}
        for plot in seen.plots
    ]


def save_visits(database: SyncDatabase, dataset: str, seen: Simulated) -> tuple[int, int]:
    """Add what was seen at the plots of that data set; gives the numbers of visits and measurements."""
    _save(database, _VISITS, seen.visits, dataset)
    _save(database, _MEASUREMENTS, seen.measurements, dataset)
    return len(seen.visits), len(seen.measurements)


def _save(
    database: SyncDatabase, statement: str, rows: Sequence[Mapping[str, object]], *values: object
) -> None:
    database.run(Query(statement, (json.dumps(rows, ensure_ascii=False), *values)))
