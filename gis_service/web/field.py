"""A property and its values as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gis_service.catalog.layer import Property
from gis_service.catalog.view import ViewedLayer
from gis_service.features.query import queryables, sortables
from gis_service.texts import catalogue, say

Feature = Mapping[str, Any]  # a feature as GeoJSON
NAMES = ("name", "name_eng", "name_en", "sci_name", "scientificName", "code")
BASIS = "basis"
_ENGLISH_NAMES = ("name_eng", "name_en")
_CALLED_BY = ("name", "sci_name", "scientificName")
_WHOLE_DAY = "T00:00:00+00:00"  # a date that is kept as a moment: records rarely begin at midnight UTC


@dataclass(frozen=True, slots=True)
class Field:
    """A property with its words in one language, and what may be done by it."""

    name: str
    title: str
    type: str
    description: str = ""
    unit: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    numeric: bool = False
    filterable: bool = False
    sortable: bool = False


def fields(view: ViewedLayer, lang: str) -> list[Field]:
    """Every property of the layer, in its order."""
    filterable, sortable = queryables(view), sortables(view)
    return [
        Field(
            name=name,
            title=prop.title.say(lang),
            type=say(f"page.type.{prop.type}", lang),
            description=prop.description.say(lang) if prop.description else "",
            unit=prop.unit or "",
            values=titles(prop, lang),
            numeric=prop.type == "number" or bool(prop.unit),
            filterable=name in filterable,
            sortable=name in sortable,
        )
        for name, prop in view.properties.items()
    ]


def titles(prop: Property, lang: str) -> dict[str, str]:
    """The allowed values with what a person calls them."""
    values = prop.values or {}
    if isinstance(values, Mapping):
        return {value: title.say(lang) for value, title in values.items()}
    return {value: value for value in values}


def shown(value: object, of: Field, lang: str, bare: bool = False) -> str:
    """A value for the eye; years and codes stay as they are, measures get separators and a unit."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return say("page.yes" if value else "page.no", lang)
    if isinstance(value, list):
        return ", ".join(of.values.get(str(each), str(each)) for each in value)
    if isinstance(value, float) or (isinstance(value, int) and of.unit):
        return f"{number(value, lang)} {'' if bare else of.unit}".strip()
    text = str(value).removesuffix(_WHOLE_DAY)
    if of.name == BASIS and f"page.basis.{text}" in catalogue():
        return say(f"page.basis.{text}", lang)
    return of.values.get(text, text)


def _name_key(feature: Feature, lang: str) -> str | None:
    properties = feature.get("properties") or {}
    keys = (*(_ENGLISH_NAMES if lang == "en" else ()), *_CALLED_BY)
    return next((key for key in keys if properties.get(key)), None)


def number(value: float, lang: str) -> str:
    """A number with the separators of the language."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text


def title_of(feature: Feature, lang: str) -> str:
    """The name that a person would call a feature by, else its id."""
    key = _name_key(feature, lang)
    return str(feature["properties"][key] if key else feature.get("id", ""))


def naming(found: Sequence[Field], features: Sequence[Feature], lang: str) -> Field | None:
    """The field that every one of the features is called by, if it is the same for all."""
    called = {_name_key(each, lang) for each in features}
    return next((each for each in found if called == {each.name}), None)


def columns(found: Sequence[Field], features: Sequence[Feature], most: int, lang: str) -> list[Field]:
    """The fields worth a column: further names, then whatever is filled, then the basis."""
    called = naming(found, features, lang)
    pairs = [pair for each in features for pair in each["properties"].items()]
    held = {name for name, value in pairs if value not in (None, "", [])} - {called.name if called else None}
    rest = [each for each in found if each.name in held and each.name not in (*NAMES, BASIS)]
    names = [each for each in found if each.name in held and each.name in NAMES]
    basis = [each for each in found if each.name in held and each.name == BASIS]
    return [*[*names, *rest][: most - len(basis)], *basis]
