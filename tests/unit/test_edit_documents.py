"""What the body of an edit may hold, member by member; for the database's part see test_editing_sent."""

import json
from typing import Any

import pytest

from gis_service.access import policy
from gis_service.catalog.registry import load_catalog
from gis_service.catalog.view import ViewedLayer
from gis_service.changes import document
from gis_service.changes.cells import Kind
from gis_service.changes.document import Way
from gis_service.errors import InvalidParameter
from tests import sample
from tests.conftest import ROOT

Json = dict[str, Any]
KINDS = {"text": "text", "integer": "int4", "number": "float8", "boolean": "bool", "date": "date"}
RING = [[105.1, 20.1], [105.2, 20.1], [105.2, 20.2], [105.1, 20.1]]
LINE = {"type": "LineString", "coordinates": [[105, 20], [106, 21]]}
OPEN = {"type": "Polygon", "coordinates": [[*RING[:3], [105.1, 20.2]]]}
DEEP = {"type": "Polygon", "coordinates": [[[[[[105, 20]]]]]]}
WORDS = {"type": "Polygon", "coordinates": [[["105", "20"], [1, 1], [2, 2], ["105", "20"]]]}


@pytest.fixture(scope="module")
def view() -> ViewedLayer:
    return policy.view(sample.PROVINCE_A, load_catalog(ROOT).layers["protected-areas"])


def read(view: ViewedLayer, members: Json, way: Way = "create", identity: str | None = None) -> document.Sent:
    kinds = {
        view.column_of(name): Kind(KINDS.get(prop.type, prop.type), required=name == "site_type")
        for name, prop in view.properties.items()
    }
    return document.read(view, kinds, document.loads(json.dumps(members).encode()), way, identity)


def feature(**members: object) -> Json:
    geometry = {"type": "Polygon", "coordinates": [RING]}
    return {"type": "Feature", "geometry": geometry, "properties": {"name": "Khu"}, **members}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("name", 7, "not-text"),
        ("name", "a\x00b", "nul"),
        ("name", "x" * 100_001, "too-long"),
        ("name", {"__proto__": {}}, "not-text"),
        ("status_yr", 2**63, "too-large"),
        ("status_yr", 2**70, "too-large"),
        ("status_yr", 2**31, "too-large"),
        ("status_yr", 1990.5, "not-integer"),
        ("status_yr", True, "not-integer"),
        ("rep_area", "12", "not-number"),
        ("iucn_cat", "VII", "not-allowed"),
        ("decision_date", "2024-02-30", "not-date"),
        ("decision_date", "20240131", "not-date"),
        ("decision_date", 20240131, "not-date"),
        ("__proto__", 1, "unknown-property"),
        ("sensitivity", 1, "unknown-property"),
        ("restricted", False, "unknown-property"),
        ("dataset_id", 1, "unknown-property"),
        ("jurisdiction", ["A"], "unknown-property"),
        ("geom", "POINT(0 0)", "unknown-property"),
    ],
)
def test_each_property_is_refused_by_its_rule(view: ViewedLayer, name: str, value: object, rule: str) -> None:
    sent = read(view, feature(properties={name: value}))
    assert [(each.pointer, each.rule) for each in sent.faults] == [(f"#/properties/{name}", rule)]
    for lang in ("en", "vi"):
        assert sent.faults[0].reason.say(lang)


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"type": "FeatureCollection"}, ("#/type", "not-feature")),
        ({"id": "mine"}, ("#/id", "id-given")),
        ({"properties": []}, ("#/properties", "not-object-member")),
        ({"geometry": None}, ("#/geometry", "geometry-missing")),
        ({"geometry": []}, ("#/geometry", "not-object-member")),
        ({"geometry": LINE}, ("#/geometry/type", "geometry-type")),
        ({"geometry": {"type": "GeometryCollection"}}, ("#/geometry/type", "geometry-type")),
        ({"geometry": OPEN}, ("#/geometry/coordinates/0", "geometry-open")),
        ({"geometry": DEEP}, ("#/geometry/coordinates/0", "geometry-short")),
        ({"geometry": WORDS}, ("#/geometry/coordinates/0/0", "geometry-position")),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, ("#/geometry/coordinates", "geometry-empty")),
        ({"geometry": {"type": "MultiPolygon"}}, ("#/geometry/coordinates", "geometry-empty")),
        ({"crs": {"type": "name"}}, ("#/crs", "crs-member")),
    ],
)  # fmt: skip
def test_each_member_is_refused_by_its_rule(view: ViewedLayer, members: Json, fault: tuple[str, str]) -> None:
    sent = read(view, feature(**members))
    assert fault in {(each.pointer, each.rule) for each in sent.faults}


def test_single_parts_become_multiparts_and_heights_go(view: ViewedLayer) -> None:
    high = [[*position, 12.5] for position in RING]
    sent = read(view, feature(geometry={"type": "Polygon", "coordinates": [high]}))
    assert sent.geometry == {"type": "MultiPolygon", "coordinates": [[RING]]}
    assert (sent.values, sent.faults) == ({"name": "Khu"}, ())


def test_a_patch_names_what_changes_and_a_replacement_all(view: ViewedLayer) -> None:
    patch = read(view, {"properties": {"name_eng": None, "status_yr": 2001.0}}, "patch", "4711")
    assert (patch.values, patch.geometry) == ({"name_eng": None, "status_yr": 2001}, None)
    part = read(view, {"geometry": {"coordinates": [[RING]]}}, "patch", "4711")
    assert part.geometry == {"type": "MultiPolygon", "coordinates": [[RING]]}, "of the type that it has"
    whole = read(view, feature(id=4711), "replace", "4711")
    assert whole.faults == ()
    assert whole.values["name"] == "Khu"
    assert whole.values["status_yr"] is None
    assert "site_type" not in whole.values, "which is never empty"
    for identity in ("4712", True, None):
        for way in ("replace", "patch"):
            assert [each.rule for each in read(view, feature(id=identity), way, "4711").faults] == [
                "id-other"
            ]


def test_what_only_the_service_writes_is_told_apart(view: ViewedLayer) -> None:
    sent = read(view, feature(properties={"name": "Khu", "basis": "published"}))
    assert (sent.values, sent.untouchable) == ({"name": "Khu"}, {"basis": "published"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'{"a": NaN}', b"\xff", b'"\\ud800"', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidParameter):
        document.loads(body)
