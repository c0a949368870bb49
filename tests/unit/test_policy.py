"""Permission is a function from Layer to Layer."""

import re
from pathlib import Path

import pytest

from gis_service.access.policy import jurisdiction_role, view, visible_layers
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Access, ClassView, Layer
from gis_service.errors import NotFound

CENTRE = Principal("centre", "full")
PROVINCE = Principal("province", "jurisdiction", ("VN-02",))


def plots(public: ClassView | None = None, jurisdiction: ClassView | None = None) -> Layer:
    """A layer of points whose observer the public doesn't see, nor the exact place."""
    text = {"en": "Plots", "vi": "Ô"}
    made = Layer.model_validate(
        {
            "id": "plots", "title": text, "description": text, "table": "gis.plot", "sensitive": True,
            "geometry": {"column": "geom", "type": "Point"},
            "properties": {"stratum": {"title": text}, "observer": {"title": text}},
            "access": {}, "source": {"title": text},
        }
    )  # fmt: skip
    return made.model_copy(update={"access": Access(public=public, jurisdiction=jurisdiction)})


COARSE = ClassView(hide=("observer",), geometry="geom_public", withhold=(1,))


def test_the_public_sees_fewer_columns_rows_and_a_coarse_place() -> None:
    seen = view(PUBLIC, plots(public=COARSE, jurisdiction=ClassView()))
    assert list(seen.properties) == ["stratum"]
    assert (seen.geometry, seen.exact, seen.sight, seen.withhold) == ("geom_public", None, "open", (1,))
    assert seen.role == "gis_public"


def test_a_province_sees_its_own_rows_whole_and_the_others_as_the_public_does() -> None:
    seen = view(PROVINCE, plots(public=COARSE, jurisdiction=ClassView()))
    assert list(seen.properties) == ["stratum", "observer"]
    assert (seen.geometry, seen.exact, seen.sight, seen.scope) == (
        "geom_public",
        "geom",
        "open+own",
        ("VN-02",),
    )
    assert seen.masked == {"observer"}
    assert seen.role == "gis_j_vn_02"


def test_the_centre_sees_the_whole_layer() -> None:
    seen = view(CENTRE, plots(public=COARSE))
    assert (seen.geometry, seen.sight, list(seen.properties)) == ("geom", "all", ["stratum", "observer"])


def test_a_layer_that_isn_t_public_does_not_exist_for_the_public() -> None:
    layer = plots(jurisdiction=ClassView())
    with pytest.raises(NotFound):
        view(PUBLIC, layer)
    assert view(PROVINCE, layer).sight == "own"
    assert list(visible_layers(PUBLIC, [layer])) == []


def test_two_classes_never_share_a_digest() -> None:
    layer = plots(public=COARSE, jurisdiction=ClassView())
    other = Principal("other", "jurisdiction", ("VN-03",))
    digests = {view(p, layer).digest for p in (PUBLIC, PROVINCE, other, CENTRE)}
    assert len(digests) == 4
    assert view(PUBLIC, layer, epoch=1).digest != view(PUBLIC, layer).digest


def test_the_role_of_several_jurisdictions_does_not_depend_on_their_order() -> None:
    assert jurisdiction_role(["VN-03", "VN-02"]) == jurisdiction_role(["VN-02", "VN-03"])


def test_only_the_policy_makes_a_view(root: Path) -> None:
    """A new path to the data takes a viewed layer, or doesn't exist."""
    makers = {
        path.relative_to(root).as_posix()
        for path in (root / "gis_service").rglob("*.py")
        if re.search(r"\bViewedLayer\(", path.read_text("utf-8"))
    }
    assert makers == {"gis_service/access/policy.py"}
