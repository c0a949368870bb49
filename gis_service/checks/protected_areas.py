"""Rules for the attributes of one protected area: combinations of values, years, the decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gis_service.checks import vocabulary as words
from gis_service.checks.candidate import FAULT, NOTE, WARNING
from gis_service.checks.row import Row
from gis_service.checks.rule import MANUAL, NATIONAL, OURS, QA, Hit, Rule
from gis_service.checks.scene import Scene

_CRITERIA: Final = re.compile(r"(\((i|ii|iii|iv|v|vi|vii|viii|ix|x)\)[\s,;]*)+|Not Reported")
_PRIVATE: Final = ("Individual landowners", "For-profit organisations", "Non-profit organisations")


def reported(row: Row, _: Scene) -> Iterator[Hit]:
    """A field is empty that the WDPA asks of a record of its type, PA or OECM."""
    kind = row.text("site_type") or "PA"
    for column in words.REPORTED.get(kind, ()):
        if not row.given(column):
            yield Hit(column, {"kind": kind})


def decision_missing(row: Row, _: Scene) -> Iterator[Hit]:
    """A designated national area names no legal decision."""
    national = row.text("desig_type") == "National" and row.text("status") == "Designated"
    if national and not row.given("decision_no"):
        yield Hit("decision_no")


def not_applicable(row: Row, _: Scene) -> Iterator[Hit]:
    """The level of designation is Not Applicable though the status isn't Established."""
    status = row.text("status")
    if row.text("desig_type") == "Not Applicable" and status not in (None, "Established"):
        yield Hit("desig_type", {"status": status})


def international(row: Row, _: Scene) -> Iterator[Hit]:
    """An international designation isn't one of the three that there are."""
    said = row.text("desig_eng")
    if row.text("desig_type") == "International" and said and said not in words.INTERNATIONAL:
        yield Hit("desig_eng", {"value": said, "allowed": "; ".join(words.INTERNATIONAL)})


def regional(row: Row, _: Scene) -> Iterator[Hit]:
    """A regional designation isn't one of those that are listed."""
    said = row.text("desig_eng")
    if row.text("desig_type") == "Regional" and said and said not in words.REGIONAL:
        yield Hit("desig_eng", {"value": said})


def level_of_convention(row: Row, _: Scene) -> Iterator[Hit]:
    """A Ramsar site, biosphere reserve or world heritage site isn't called international."""
    level = row.text("desig_type")
    if row.text("desig_eng") in words.INTERNATIONAL and level not in (None, "International"):
        yield Hit("desig_type", {"value": level, "desig": row.text("desig_eng")})


def category_of_oecm(row: Row, _: Scene) -> Iterator[Hit]:
    """An OECM has an IUCN category other than Not Applicable."""
    said = row.text("iucn_cat")
    if row.text("site_type") == "OECM" and said not in (None, "Not Applicable"):
        yield Hit("iucn_cat", {"value": said})


def category_of_convention(row: Row, _: Scene) -> Iterator[Hit]:
    """A biosphere reserve or world heritage site has an IUCN category other than Not Applicable."""
    said = row.text("iucn_cat")
    if row.text("desig_eng") in (words.MAB, words.WORLD_HERITAGE) and said not in (None, "Not Applicable"):
        yield Hit("iucn_cat", {"value": said, "desig": row.text("desig_eng")})


def category_not_applicable(row: Row, _: Scene) -> Iterator[Hit]:
    """The IUCN category is Not Applicable, but it is no OECM, biosphere reserve or world heritage site."""
    if row.text("site_type") == "OECM" or row.text("iucn_cat") != "Not Applicable":
        return
    if row.text("desig_eng") not in (words.MAB, words.WORLD_HERITAGE):
        yield Hit("iucn_cat")


def inscribed(row: Row, _: Scene) -> Iterator[Hit]:
    """Inscribed is the status of an area that is no world heritage site."""
    desig = row.text("desig_eng")
    if row.text("status") == "Inscribed" and desig and not desig.startswith("World Heritage Site"):
        yield Hit("status", {"desig": desig})


def adopted(row: Row, _: Scene) -> Iterator[Hit]:
    """Adopted is the status of an area outside the Barcelona Convention."""
    desig = row.text("desig_eng")
    if row.text("status") == "Adopted" and desig and not re.search("Mediterranean|Barcelona|SPAMI", desig):
        yield Hit("status", {"desig": desig})


def criteria_missing(row: Row, _: Scene) -> Iterator[Hit]:
    """A Ramsar or world heritage site states no criteria, or none of (i) to (x)."""
    if row.text("desig_eng") not in (words.RAMSAR, words.WORLD_HERITAGE):
        return
    said = row.text("int_crit")
    if said is None or not _CRITERIA.fullmatch(said):
        yield Hit("int_crit", {"value": said or "–", "desig": row.text("desig_eng")})


def criteria_elsewhere(row: Row, _: Scene) -> Iterator[Hit]:
    """An area that is neither Ramsar nor world heritage site states international criteria."""
    said = row.text("int_crit")
    if row.text("desig_eng") in (words.RAMSAR, words.WORLD_HERITAGE):
        return
    if said not in (None, "Not Applicable"):
        yield Hit("int_crit", {"value": said})


def year(row: Row, scene: Scene) -> Iterator[Hit]:
    """The year of status is neither 0 nor a whole year from `first_year` to this one."""
    said, first, now = row.figure("status_yr"), scene.limits.first_year, scene.context.today.year
    if said is not None and said != 0 and not (said.is_integer() and first <= said <= now):
        yield Hit("status_yr", {"value": row.text("status_yr"), "first": first, "now": now})


def year_of_decision(row: Row, _: Scene) -> Iterator[Hit]:
    """The year of status comes before that of the decision."""
    said, decided = row.figure("status_yr"), row.day("decision_date")
    if said and decided and said < decided.year and row.text("status") == "Designated":
        yield Hit("status_yr", {"value": int(said), "decided": decided})


def decision_date(row: Row, scene: Scene) -> Iterator[Hit]:
    """The decision is dated in the future or before `first_year`."""
    decided, today = row.day("decision_date"), scene.context.today
    if decided is not None and (decided.year < scene.limits.first_year or decided > today):
        yield Hit("decision_date", {"value": decided, "today": today, "first": scene.limits.first_year})


def no_take_on_land(row: Row, _: Scene) -> Iterator[Hit]:
    """A terrestrial area states a no-take zone of the sea."""
    said = row.text("no_take")
    if row.text("realm") == "Terrestrial" and said not in (None, "Not Applicable"):
        yield Hit("no_take", {"value": said})


def no_take_at_sea(row: Row, _: Scene) -> Iterator[Hit]:
    """No-take is Not Applicable for a coastal or marine area."""
    if row.text("realm") in ("Coastal", "Marine") and row.text("no_take") == "Not Applicable":
        yield Hit("no_take", {"realm": row.text("realm")})


def no_take_area(row: Row, _: Scene) -> Iterator[Hit]:
    """The no-take area is given for an area that has none of it."""
    area, said = row.figure("no_tk_area"), row.text("no_take")
    if area and (said in ("Not Applicable", "None") or row.text("realm") == "Terrestrial"):
        yield Hit("no_tk_area", {"value": area, "no_take": said or row.text("realm")})


def no_take_all(row: Row, _: Scene) -> Iterator[Hit]:
    """All of the sea is no-take, and yet the two areas differ."""
    area, sea = row.figure("no_tk_area"), row.figure("rep_m_area")
    if row.text("no_take") == "All" and area is not None and sea is not None and area < sea:
        yield Hit("no_tk_area", {"value": area, "whole": sea})


def part_larger_than_whole(row: Row, _: Scene) -> Iterator[Hit]:
    """A part is larger than the whole: no-take area, marine area, area."""
    for part, whole in (
        ("no_tk_area", "rep_m_area"), ("no_tk_area", "gis_m_area"),
        ("rep_m_area", "rep_area"), ("gis_m_area", "gis_area"),
    ):  # fmt: skip
        one, other = row.figure(part), row.figure(whole)
        if one is not None and other is not None and one > other:
            yield Hit(part, {"value": one, "whole_column": whole, "whole": other})


def marine_area(row: Row, _: Scene) -> Iterator[Hit]:
    """A coastal or marine area reports no marine area."""
    if row.text("realm") in ("Coastal", "Marine") and row.given("rep_area") and not row.figure("rep_m_area"):
        yield Hit("rep_m_area", {"realm": row.text("realm")})


def realm(row: Row, _: Scene) -> Iterator[Hit]:
    """The realm isn't that of the marine share: up to 10 % terrestrial, from 90 % marine, else coastal."""
    said, share = row.text("realm"), _marine_share(row)
    if said is None or share is None:
        return
    meant = {"Terrestrial"} if share < 0.1 else {"Marine"} if share > 0.9 else {"Coastal"}
    meant |= {"Terrestrial", "Coastal"} if share == 0.1 else {"Marine", "Coastal"} if share == 0.9 else set()
    if said not in meant and said in ("Terrestrial", "Coastal", "Marine"):
        yield Hit("realm", {"value": said, "percent": 100 * share, "meant": min(meant)})


def _marine_share(row: Row) -> float | None:
    for part, whole in (("gis_m_area", "gis_area"), ("rep_m_area", "rep_area")):
        one, other = row.figure(part), row.figure(whole)
        if one is not None and other and 0 <= one <= other:
            return one / other
    return None


def transboundary(row: Row, _: Scene) -> Iterator[Hit]:
    """Transboundary governance, but a single country."""
    iso3 = row.text("iso3")
    if row.text("gov_type") == "Transboundary governance" and iso3 and ";" not in iso3:
        yield Hit("gov_type", {"iso3": iso3})


def private_on_state_land(row: Row, _: Scene) -> Iterator[Hit]:
    """Landowners or organisations govern what is said to be the state's."""
    said = row.text("gov_type")
    if said in _PRIVATE and row.text("own_type") == "State":
        yield Hit("own_type", {"gov_type": said})


def verified_by(row: Row, _: Scene) -> Iterator[Hit]:
    """The record is said to be verified, but names no source."""
    said = row.text("verif")
    if said in ("State Verified", "Expert Verified") and not row.given("metadataid"):
        yield Hit("metadataid", {"verif": said})


def level_of_management(row: Row, _: Scene) -> Iterator[Hit]:
    """Level of management and kind of governance contradict each other."""
    level, said = row.text("management_level"), row.text("gov_type")
    other = {
        "national": "Sub-national ministry or agency",
        "provincial": "Federal or national ministry or agency",
    }
    if level in other and said == other[level]:
        yield Hit("management_level", {"value": level, "gov_type": said})


def category_of_class(row: Row, _: Scene) -> Iterator[Hit]:
    """The IUCN category isn't that which the national class usually has."""
    kind, said = row.text("national_class"), row.text("iucn_cat")
    usual = words.TYPICAL_IUCN.get(kind or "")
    if usual and said and said not in (*usual, *words.NO_CATEGORY):
        yield Hit("iucn_cat", {"value": said, "kind": kind, "usual": " / ".join(usual)})


def countries(row: Row, _: Scene) -> Iterator[Hit]:
    """A country isn't given by codes of ISO 3166-1 alpha-3, joined by semicolons."""
    for column in ("iso3", "prnt_iso3"):
        codes = (row.text(column) or "").split(";")
        if row.given(column) and (wrong := [code for code in codes if code not in words.ISO3]):
            yield Hit(column, {"value": ", ".join(wrong)})


RULES: Final = (
    Rule("area-reported-fields", NOTE, MANUAL, reported),
    Rule("area-decision-missing", WARNING, NATIONAL, decision_missing),
    Rule("area-desig-type-not-applicable", FAULT, MANUAL, not_applicable),
    Rule("area-desig-international", FAULT, QA.format("4.3.b"), international),
    Rule("area-desig-regional", WARNING, QA.format("4.3.c"), regional),
    Rule("area-desig-level", FAULT, QA.format("4.3.b"), level_of_convention),
    Rule("area-iucn-oecm", FAULT, MANUAL, category_of_oecm),
    Rule("area-iucn-convention", FAULT, QA.format("4.3.g"), category_of_convention),
    Rule("area-iucn-not-applicable", WARNING, QA.format("4.5.k"), category_not_applicable),
    Rule("area-status-inscribed", FAULT, MANUAL, inscribed),
    Rule("area-status-adopted", FAULT, MANUAL, adopted),
    Rule("area-criteria-missing", FAULT, QA.format("4.3.d"), criteria_missing),
    Rule("area-criteria-elsewhere", WARNING, QA.format("4.5.j"), criteria_elsewhere),
    Rule("area-year", FAULT, QA.format("4.3.n"), year),
    Rule("area-year-of-decision", NOTE, NATIONAL, year_of_decision),
    Rule("area-decision-date", FAULT, NATIONAL, decision_date),
    Rule("area-no-take-on-land", FAULT, QA.format("4.3.i"), no_take_on_land),
    Rule("area-no-take-at-sea", WARNING, QA.format("4.3.j"), no_take_at_sea),
    Rule("area-no-take-area", FAULT, QA.format("4.3.k, l"), no_take_area),
    Rule("area-no-take-all", WARNING, QA.format("4.5.i"), no_take_all),
    Rule("area-part-larger", FAULT, QA.format("4.4"), part_larger_than_whole),
    Rule("area-marine-missing", WARNING, QA.format("4.5.g"), marine_area),
    Rule("area-realm", WARNING, QA.format("4.5.a"), realm),
    Rule("area-transboundary", WARNING, MANUAL, transboundary),
    Rule("area-ownership", NOTE, OURS, private_on_state_land),
    Rule("area-verified", NOTE, QA.format("4.3.r"), verified_by),
    Rule("area-management-level", NOTE, NATIONAL, level_of_management),
    Rule("area-class-category", NOTE, NATIONAL, category_of_class),
    Rule("area-country", FAULT, MANUAL, countries),
)
