"""Rules for plots, their visits and what was measured there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shapely import Point

from gis_service.checks import shapes, vocabulary
from gis_service.checks.candidate import FAULT, WARNING
from gis_service.checks.context import Plot
from gis_service.checks.row import Row, folded
from gis_service.checks.rule import DARWIN_CORE, OURS, Hit, Rule
from gis_service.checks.scene import Scene


def established(row: Row, scene: Scene) -> Iterator[Hit]:
    """A plot was laid out, visited or closed in the future."""
    for column in ("established", "last_visit", "closed"):
        said = row.day(column)
        if said and said > scene.context.today:
            yield Hit(column, {"value": said, "today": scene.context.today})


def order(row: Row, _: Scene) -> Iterator[Hit]:
    """Last visit or closing comes before the plot was laid out."""
    start = row.day("established")
    for column in ("last_visit", "closed"):
        said = row.day(column)
        if start and said and said < start:
            yield Hit(column, {"value": said, "start": start})


def due(row: Row, _: Scene) -> Iterator[Hit]:
    """The next visit is due before the last one."""
    last, following = row.day("last_visit"), row.day("next_due")
    if last and following and following < last:
        yield Hit("next_due", {"value": following, "last": last})


def visited_after_closing(row: Row, _: Scene) -> Iterator[Hit]:
    """The last visit comes after the plot was closed."""
    last, closed = row.day("last_visit"), row.day("closed")
    if last and closed and last > closed:
        yield Hit("last_visit", {"value": last, "closed": closed})


def size(row: Row, _: Scene) -> Iterator[Hit]:
    """The plot is 0 m² or larger than the primary unit of the national inventory, 100 ha."""
    said = row.figure("area_m2")
    if said is not None and (said == 0 or said > 1_000_000):
        yield Hit("area_m2", {"value": said})


def elevation(row: Row, _: Scene) -> Iterator[Hit]:
    """The elevation is lower than the shore of the Dead Sea or higher than Mount Everest."""
    said = row.figure("elevation_m")
    if said is not None and not -440 <= said <= 8849:
        yield Hit("elevation_m", {"value": said})


def moved(row: Row, scene: Scene) -> Iterator[Hit]:
    """The plot lies elsewhere than before, further than its uncertainty or `moved_m`."""
    before = row.candidate.before
    if (
        before is None
        or row.spot is None
        or not isinstance(before.geometry, Point)
        or before.geometry.is_empty
    ):
        return
    stated = row.figure("coordinate_uncertainty_in_meters")
    most = scene.limits.moved_m if stated is None else stated
    away = shapes.distance_m(row.spot, (before.geometry.x, before.geometry.y))
    if away > most:
        yield Hit(values={"metres": away, "most": most}, place=row.spot)


def same_id(row: Row, scene: Scene) -> Iterator[Hit]:
    """Another plot has the same id of location."""
    for other in scene.alike(row, "location", lambda each: each.text("location_id"))[:1]:
        yield Hit("location_id", {"value": row.text("location_id"), "other": other.gid or other.number + 1})


def same_place(row: Row, scene: Scene) -> Iterator[Hit]:
    """A plot of another id lies within `same_place_degrees`."""
    if row.spot is None or row.text("plot_type") == "subplot":
        return
    for other in scene.near(row, scene.limits.same_place_degrees):
        if other.text("location_id") != row.text("location_id"):
            yield Hit(values={"other": other.label}, place=row.spot)
            return


def _plot(row: Row, scene: Scene) -> Plot | None:
    return (scene.context.plots or {}).get(row.text("location_id") or "")


def plot_unknown(row: Row, scene: Scene) -> Iterator[Hit]:
    """The visit names a plot that isn't there."""
    said = row.text("location_id")
    if scene.context.plots is not None and said and said not in scene.context.plots:
        yield Hit("location_id", {"value": said})


def visit_too_early(row: Row, scene: Scene) -> Iterator[Hit]:
    """The visit comes before its plot was laid out."""
    seen, plot = row.day("event_date"), _plot(row, scene)
    if seen and plot and plot.established and seen < plot.established:
        yield Hit("event_date", {"value": seen, "start": plot.established})


def visit_too_late(row: Row, scene: Scene) -> Iterator[Hit]:
    """The visit comes after its plot was closed."""
    seen, plot = row.day("event_date"), _plot(row, scene)
    if seen and plot and plot.closed and seen > plot.closed:
        yield Hit("event_date", {"value": seen, "closed": plot.closed})


def visit_in_future(row: Row, scene: Scene) -> Iterator[Hit]:
    """The visit is dated in the future."""
    seen = row.day("event_date")
    if seen and seen > scene.context.today:
        yield Hit("event_date", {"value": seen, "today": scene.context.today})


def visit_span(row: Row, _: Scene) -> Iterator[Hit]:
    """The visit ends before it begins."""
    start, end = row.day("event_date"), row.day("event_date_end")
    if start and end and end < start:
        yield Hit("event_date_end", {"start": start, "end": end})


def sample_unit(row: Row, _: Scene) -> Iterator[Hit]:
    """A sample size has no unit."""
    if row.given("sample_size_value") and not row.given("sample_size_unit"):
        yield Hit("sample_size_unit")


def impossible(row: Row, _: Scene) -> Iterator[Hit]:
    """A measured value can't be, such as a cover above 100 %."""
    if (found := _measured(row)) and not found[1][0] <= found[0] <= found[1][1]:
        yield _out_of(row, found[1][0], found[1][1])


def unlikely(row: Row, _: Scene) -> Iterator[Hit]:
    """A measured value is possible and yet unlikely, such as a tree of 80 m."""
    if not (found := _measured(row)):
        return
    value, (least, most, low, high) = found
    if least <= value <= most and not low <= value <= high:
        yield _out_of(row, low, high)


def unit_missing(row: Row, _: Scene) -> Iterator[Hit]:
    """A length, a cover or a temperature is given without a unit."""
    kind = vocabulary.MEASURES.get(folded(row.text("measurement_type")))
    if kind not in (None, "ph", "count") and not row.given("measurement_unit"):
        yield Hit("measurement_unit", {"kind": row.text("measurement_type")})


def _out_of(row: Row, low: float, high: float) -> Hit:
    said = {"value": row.text("measurement_value"), "unit": row.text("measurement_unit") or ""}
    return Hit("measurement_value", {**said, "low": low, "high": high})


def _measured(row: Row) -> tuple[float, tuple[float, float, float, float]] | None:
    """The value and the bounds of its kind, both in the row's unit; None where one is unknown."""
    kind = vocabulary.MEASURES.get(folded(row.text("measurement_type")))
    value = row.figure("measurement_value")
    if kind is None or value is None:
        return None
    _, _, wanted = kind.partition(" ")
    factor = _factor(folded(row.text("measurement_unit")), wanted)
    if factor is None:
        return None
    low, high, least, most = (bound / factor for bound in vocabulary.RANGES[kind])
    return value, (low, high, least, most)


def _factor(unit: str, wanted: str) -> float | None:
    """By what a value of that unit becomes one of the wanted; None where nobody can tell."""
    if not wanted:
        return 1.0
    own, factor = vocabulary.UNITS.get(unit, ("", 0.0))
    if own == wanted:
        return factor
    onward = vocabulary.LENGTHS.get((own, wanted))
    return None if onward is None else factor * onward


PLOT_RULES: Final = (
    Rule("plot-future", FAULT, OURS, established),
    Rule("plot-order", FAULT, OURS, order),
    Rule("plot-due", WARNING, OURS, due),
    Rule("plot-visited-closed", WARNING, OURS, visited_after_closing),
    Rule("plot-size", WARNING, OURS, size),
    Rule("plot-elevation", FAULT, OURS, elevation),
    Rule("plot-moved", WARNING, OURS, moved),
    Rule("plot-same-id", FAULT, OURS, same_id),
    Rule("plot-same-place", WARNING, OURS, same_place),
)
VISIT_RULES: Final = (
    Rule("visit-plot-unknown", WARNING, DARWIN_CORE, plot_unknown),
    Rule("visit-early", FAULT, OURS, visit_too_early),
    Rule("visit-late", WARNING, OURS, visit_too_late),
    Rule("visit-future", FAULT, DARWIN_CORE, visit_in_future),
    Rule("visit-span", FAULT, DARWIN_CORE, visit_span),
    Rule("visit-sample-unit", FAULT, DARWIN_CORE, sample_unit),
)
MEASUREMENT_RULES: Final = (
    Rule("measurement-impossible", FAULT, OURS, impossible),
    Rule("measurement-unlikely", WARNING, OURS, unlikely),
    Rule("measurement-unit", WARNING, DARWIN_CORE, unit_missing),
)
