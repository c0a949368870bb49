"""ETag and Last-Modified: a client learns that the answer it holds still stands, without a row being read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpx
import psycopg
import pytest

from gis_service.db.sync import SyncDatabase
from gis_service.web.validators import SETTLED_SECONDS
from tests.web.conftest import Sample

ITEMS = "/collections/protected-areas/items"
ADDRESSES = (
    f"{ITEMS}?limit=2",
    f"{ITEMS}/open-A",
    f"{ITEMS}?filter=name='Khu open A'&sortby=-name",
    f"{ITEMS}?f=html",
)


@contextmanager
def locked(dsn: str) -> Iterator[None]:
    """A block during which nobody can read a row of protected areas."""
    with psycopg.connect(dsn) as connection:
        connection.execute("lock table gis.protected_area in access exclusive mode")
        yield
        connection.rollback()


def renamed(sampled: Sample, name: str, public_id: str) -> None:
    with SyncDatabase(sampled.dsn) as db:
        db.apply([f"update gis.protected_area set name_eng = '{name}' where public_id = '{public_id}'"])


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_kept_answer_is_confirmed_without_reading_rows(
    web: httpx.Client, sampled: Sample, address: str
) -> None:
    tag = web.get(address).raise_for_status().headers["etag"]
    with locked(sampled.dsn):
        again = web.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["etag"], again.content) == (304, tag, b"")
    assert again.headers["access-control-allow-origin"] == "*"


def test_a_date_confirms_too_where_no_tag_is_given(web: httpx.Client, sampled: Sample) -> None:
    renamed(sampled, "Once", "open-B")
    for address in ADDRESSES:
        assert "last-modified" not in web.get(address).headers  # two changes may share this second
    time.sleep(SETTLED_SECONDS + 1)
    for address in ADDRESSES:
        date = web.get(address).headers["last-modified"]
        assert parsedate_to_datetime(date).timestamp() <= time.time()
        assert web.get(address, headers={"If-Modified-Since": date}).status_code == 304
        foreign = {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT", "If-None-Match": '"x"'}
        assert web.get(address, headers=foreign).status_code == 200  # the tag counts where both are sent
        for early in ("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", "2026-01-01"):
            assert web.get(address, headers={"If-Modified-Since": early}).status_code == 200


def test_every_change_that_is_seen_makes_a_new_tag(web: httpx.Client, sampled: Sample) -> None:
    for name in ("One", "Two", "Three"):
        before = [web.get(address).headers["etag"] for address in ADDRESSES]
        renamed(sampled, name, "open-A")
        after = [web.get(address).headers["etag"] for address in ADDRESSES]
        assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_change_of_a_hidden_row_makes_no_new_tag(
    web: httpx.Client, centre: httpx.Client, sampled: Sample
) -> None:
    before = [client.get(address).headers["etag"] for client in (web, centre) for address in ADDRESSES]
    renamed(sampled, "Hidden", "closed-B")
    after = [client.get(address).headers["etag"] for client in (web, centre) for address in ADDRESSES]
    n = len(ADDRESSES)
    assert before[:n] == after[:n]
    assert all(old != new for old, new in zip(before[n:], after[n:], strict=True))


def test_a_tag_stands_for_one_query_language_class_and_form(web: httpx.Client, centre: httpx.Client) -> None:
    answers = [
        web.get(ADDRESSES[0]), web.get(f"{ITEMS}?limit=3"), web.get(f"{ADDRESSES[0]}&lang=vi"),
        web.get(f"{ADDRESSES[0]}&f=html"), centre.get(ADDRESSES[0]),
    ]  # fmt: skip
    tags = [answer.headers["etag"].removeprefix("W/").split("-")[0] for answer in answers]
    assert len(set(tags)) == len(tags)


def test_a_compressed_answer_is_confirmed_by_its_own_tag(web: httpx.Client) -> None:
    for coding in ("gzip", "zstd", "identity"):
        asked = {"Accept-Encoding": coding}
        tag = web.get(f"{ITEMS}?limit=10", headers=asked).headers["etag"]
        again = web.get(f"{ITEMS}?limit=10", headers={**asked, "If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.headers["etag"]) == (304, tag)


def test_what_never_was_is_confirmed_by_nothing(web: httpx.Client) -> None:
    for header in ({"If-None-Match": "*"}, {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}):
        assert web.get(f"{ITEMS}/nothing", headers=header).status_code == 404
