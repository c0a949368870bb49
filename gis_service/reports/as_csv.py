"""The report as one table: a row for each hit, empty cells where a column doesn't apply.

Nothing in it depends on when it was made: equal reproducibility hashes give equal bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from gis_service.reports.model import OverlapReport

MEDIA_TYPE = "text/csv; charset=utf-8"
COLUMNS = (
    "table", "id", "name", "designation", "iucn_category", "basis", "counted", "overlap_m2",
    "share_of_project", "whole_m2", "share_of_whole", "records", "last_date", "generalised", "distance_m",
    "bearing_deg", "datasets", "licences",
)  # fmt: skip


def render(report: OverlapReport) -> bytes:
    """UTF-8 CSV with a header; spreadsheets are told the encoding by its mark."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula is made harmless by an apostrophe."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value


def _rows(report: OverlapReport) -> Iterator[dict[str, object]]:
    used = {dataset.dataset_id: dataset for dataset in report.method.datasets}

    def sources(*ids: int) -> dict[str, object]:
        known = [used[each] for each in ids if each in used]
        return {
            "datasets": "; ".join(each.slug for each in known),
            "licences": "; ".join(dict.fromkeys(each.licence or "" for each in known)),
        }

    yield {"table": "project", "name": report.subject.title, "overlap_m2": report.subject.area_m2}
    for area in report.areas:
        yield {
            "table": "protected_areas", "id": area.site, "name": area.name, "designation": area.designation,
            "iucn_category": area.iucn_category, "basis": area.basis, "counted": area.excluded is None,
            "overlap_m2": area.overlap_m2, "share_of_project": area.share_of_project,
            "whole_m2": area.area_m2, "share_of_whole": area.share_of_area, **sources(area.dataset_id),
        }  # fmt: skip
    totals = report.totals
    yield {
        "table": "flat_total", "basis": totals.basis, "overlap_m2": totals.flat_m2,
        "share_of_project": totals.flat_share,
    }  # fmt: skip
    yield {"table": "naive_sum", "basis": totals.basis, "overlap_m2": totals.naive_m2}
    for near in report.nearest:
        yield {
            "table": "nearest", "id": near.site, "name": near.name, "designation": near.designation,
            "basis": near.basis, "distance_m": near.distance_m, "bearing_deg": near.bearing_deg,
            **sources(near.dataset_id),
        }  # fmt: skip
    for species in report.recorded:
        yield {
            "table": "species_recorded", "name": species.scientific_name, "basis": species.basis,
            "records": species.records, "last_date": species.last_date, "generalised": species.generalised,
            **sources(*species.dataset_ids),
        }  # fmt: skip
    for found in report.ranges:
        yield {
            "table": "species_possible_by_range", "name": found.scientific_name, "basis": found.basis,
            "overlap_m2": found.overlap_m2, "share_of_project": found.share_of_project,
            "whole_m2": found.range_m2, "share_of_whole": found.share_of_range, **sources(found.dataset_id),
        }  # fmt: skip
    for plot in report.plots:
        yield {
            "table": "plots", "id": plot.feature_id, "name": plot.name, "basis": plot.basis,
            "last_date": plot.last_visit, "generalised": plot.generalised, **sources(plot.dataset_id),
        }  # fmt: skip
