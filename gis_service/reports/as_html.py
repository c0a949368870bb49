"""The report as one page of HTML: a summary, the map, the tables, how it was made; for screen and paper."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from gis_service.reports import again, leaflet, numbers
from gis_service.reports.drawing import Drawing
from gis_service.reports.model import AreaHit, Nearest, OverlapReport
from gis_service.texts import say

MEDIA_TYPE = "text/html; charset=utf-8"


def render(report: OverlapReport, drawing: Drawing, lang: str) -> bytes:
    """The page in one language; it needs no other file and no network."""
    page = _template().render(
        report=report,
        lang=lang,
        map=leaflet.render(drawing, lang),
        listed=[area for area in report.areas if not area.sliver],
        sentences=summary(report, lang),
        edition=edition(report, lang),
        state=state(report, lang),
        command=again.command(report),
        execution=again.body(report),
        title=report.subject.title or say("report.untitled", lang),
        datasets={each.dataset_id: each for each in report.method.datasets},
        **_words(lang),
    )
    return page.encode()


def _words(lang: str) -> dict[str, Any]:  # callables of several shapes, for the template alone
    return {
        "t": lambda key, **values: say(key, lang, **values),
        "km2": lambda value: numbers.km2(value, lang),
        "ha": lambda value: numbers.ha(value, lang),
        "km": lambda value: numbers.km(value, lang),
        "percent": lambda value: numbers.percent(value, lang),
        "day": lambda value: numbers.day(value, lang),
        "moment": lambda value: numbers.moment(value, lang),
        "count": lambda value: numbers.number(value, 0, lang),
        "wind": lambda value: numbers.wind(value, lang),
        "degrees": numbers.degrees,
        "designation": lambda area: designation(area, lang),
    }


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("gis_service.reports")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("overlap.html.jinja")


def designation(area: AreaHit | Nearest, lang: str) -> str:
    """The designation in the reader's language where there is one."""
    first, second = area.designation, area.designation_en
    return (first if lang == "vi" else second) or first or second or "–"


def edition(report: OverlapReport, lang: str) -> str:
    """Whose edition it is, so that a page that left the building says what it holds."""
    tier, _, who = report.method.tier.partition(":")
    return say(f"report.edition.{tier}", lang, **({"who": who} if who else {}))


def state(report: OverlapReport, lang: str) -> str:
    """The release that the numbers are of, and when it was made."""
    method = report.method
    if method.released is None:
        return say("report.release.undated", lang, release=method.release)
    return say("report.release", lang, release=method.release, when=numbers.moment(method.released, lang))


def summary(report: OverlapReport, lang: str) -> list[str]:
    """The report in a few sentences."""
    size = report.subject.area_m2
    sentences = [say("report.say.area", lang, km2=numbers.km2(size, lang), ha=numbers.ha(size, lang))]
    sentences += _areas(report, lang) if "protected-areas" in report.method.layers else []
    if {"species-ranges", "occurrences"} & set(report.method.layers):
        sentences.append(_species(report, lang))
    if "plots" in report.method.layers:
        key = {0: "report.plots.none", 1: "report.say.plots.one"}.get(len(report.plots), "report.say.plots")
        sentences.append(say(key, lang, n=numbers.number(len(report.plots), 0, lang)))
    return sentences


def _species(report: OverlapReport, lang: str) -> str:
    ranges = len({row.scientific_name for row in report.ranges})
    recorded = len({row.scientific_name for row in report.recorded})
    return say("report.say.species", lang, ranges=ranges, recorded=recorded)


def _areas(report: OverlapReport, lang: str) -> list[str]:
    totals = report.totals
    if totals.counted:
        hits = "report.say.hits.one" if totals.counted == 1 else "report.say.hits"
        flat, naive = (numbers.km2(each, lang) for each in (totals.flat_m2, totals.naive_m2))
        share = numbers.percent(totals.flat_share, lang)
        weak = [] if totals.basis == "published" else [say(f"report.say.weak.{totals.basis}", lang)]
        if totals.counted == 1:
            return [say(hits, lang), say("report.say.flat.one", lang, km2=flat, share=share), *weak]
        covered = say("report.say.flat", lang, km2=flat, share=share, naive=naive)
        return [say(hits, lang, n=totals.counted), covered, *weak]
    sentences = [say("report.say.none", lang)]
    if report.nearest:
        near = report.nearest[0]
        if near.bearing_deg is None:
            return [*sentences, say("report.say.touches", lang, name=near.name)]
        words = {"name": near.name, "km": numbers.km(near.distance_m, lang)}
        sentences.append(say("report.say.near", lang, wind=numbers.wind(near.bearing_deg, lang), **words))
    return sentences
