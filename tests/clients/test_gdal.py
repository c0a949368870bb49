"""GDAL, from the pyogrio wheel, reads every collection as OGC API Features and every tile as MVT."""

import pyogrio
import pytest

from tests.clients.conftest import PUBLIC_COUNTS


@pytest.mark.parametrize(("layer", "count"), PUBLIC_COUNTS.items())
def test_gdal_reads_every_collection_with_the_right_count(service: str, layer: str, count: int) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{service}", layer=layer)
    assert len(frame) == count


def test_gdal_lists_every_collection(service: str) -> None:
    assert {str(name) for name, _ in pyogrio.list_layers(f"OAPIF:{service}")} == set(PUBLIC_COUNTS)


def test_gdal_pages_through_all_rows(service: str) -> None:
    """G2: GDAL takes its page from the maximum of `/api`; pages of three must still give all eight rows."""
    frame = pyogrio.read_dataframe(f"OAPIF:{service}/collections/occurrences", PAGE_SIZE="3")
    assert len(frame) == 8
    assert frame["scientificName"].nunique() == 4


def test_gdal_pushes_an_equality_down(service: str) -> None:
    """G1: one parameter a queryable."""
    frame = pyogrio.read_dataframe(
        f"OAPIF:{service}", layer="occurrences", where="\"scientificName\" = 'Speciosus category0'"
    )
    assert len(frame) == 2


def test_gdal_asks_for_a_box(service: str) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{service}", layer="protected-areas", bbox=(105, 20, 106, 21))
    assert list(frame["name"]) == ["Khu open A"]
    assert frame.geometry.iloc[0].bounds == pytest.approx((105.4, 20.4, 105.6, 20.6), abs=1e-7)


def test_gdal_reads_a_tile(service: str) -> None:
    """The two provinces of one degree lie in tile 6/50/28 (x = (105+180)/360*64)."""
    frame = pyogrio.read_dataframe(f"MVT:/vsicurl/{service}/xyz/provinces/6/50/28.mvt", layer="provinces")
    assert set(frame["code"]) == {"A", "B"}
