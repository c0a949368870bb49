"""API keys: three ways to send one, what a wrong one gets, and how soon a revoked one is refused."""

import base64
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gis_service.access import accounts, keystore, organisations
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.db.sync import SyncDatabase
from tests.web.conftest import Sample

AREAS = "/collections/protected-areas/items"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_key_opens_by_header_bearer_and_basic(sampled: Sample, web: httpx.Client) -> None:
    key = sampled.keys["centre"]
    for headers in (
        {"X-API-Key": key},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer {key}"},
        {"Authorization": basic("anybody", key)},
        {"Authorization": basic("", key)},
    ):
        assert web.get(AREAS, headers=headers).json()["numberReturned"] == 4, headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "gis_wrong"}, {"X-API-Key": ""}, {"X-API-Key": b"\xff"}, {"Authorization": "Bearer x"},
        {"Authorization": basic("user", "wrong")}, {"Authorization": "Basic !!"},
        {"Authorization": "Digest x"},
        {"Authorization": ""}, {"Authorization": b"Basic \xff"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", AREAS, "/xyz/provinces/8/0/0.mvt", "/map"])
def test_a_wrong_key_is_refused(path: str, headers: dict[str, str | bytes], web: httpx.Client) -> None:
    raw = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    answer = web.get(path, headers=raw)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Basic" in answer.headers["www-authenticate"]
    assert "Bearer" in answer.headers["www-authenticate"]


def test_answers_to_a_key_are_private_and_others_vary_by_it(sampled: Sample, web: httpx.Client) -> None:
    headers = {"X-API-Key": sampled.keys["centre"]}
    for path in ("/", "/collections", AREAS, "/xyz/protected-areas/8/202/113.mvt", "/styles", "/nowhere"):
        ours = web.get(path, headers=headers)
        assert ours.headers["cache-control"].startswith(("private", "no-store")), path
        for answer in (ours, web.get(path)):
            assert {"Authorization", "X-API-Key"} <= set(answer.headers["vary"].split(", ")), path


def test_a_document_kept_for_one_class_is_not_given_to_another(sampled: Sample, web: httpx.Client) -> None:
    hidden = "observer"
    path = "/collections/plots/schema"
    for _ in range(2):
        assert hidden not in web.get(path).json()["properties"]
        ours = web.get(path, headers={"X-API-Key": sampled.keys["centre"]})
        assert hidden in ours.json()["properties"]


def test_a_revoked_key_is_refused_within_a_second(sampled: Sample, web: httpx.Client) -> None:
    with SyncDatabase(sampled.dsn) as database:
        key = keystore.create(database, "centre", "to be revoked")
        number = next(each.number for each in keystore.listed(database) if each.label == "to be revoked")
        deadline = time.monotonic() + 1
        while web.get(AREAS, headers={"X-API-Key": key}).status_code != 200:
            assert time.monotonic() < deadline
        keystore.revoke(database, number)
    deadline = time.monotonic() + 1
    while web.get(AREAS, headers={"X-API-Key": key}).status_code != 401:
        assert time.monotonic() < deadline


def test_rights_of_an_account_follow_its_roles_within_a_second(sampled: Sample, web: httpx.Client) -> None:
    """A role that is granted, one that ends by itself, one that is revoked, and an account that is locked."""
    with SyncDatabase(sampled.dsn) as database:
        organisations.create(database, Organisation("agency", "Cơ quan", None, "central"))
        accounts.create(database, NewAccount("lan"))
        headers = {"X-API-Key": keystore.create(database, "lan")}

        def until(status: int, features: int | None) -> None:
            deadline = time.monotonic() + 1
            while True:
                answer = web.get(AREAS, headers=headers)
                if answer.status_code == status and answer.json().get("numberReturned") == features:
                    return
                assert time.monotonic() < deadline, answer.text

        until(200, 2)
        soon = datetime.now(UTC) + timedelta(seconds=1.5)
        accounts.grant(database, "lan", "agency", "reader", until=soon)
        until(200, 4)
        time.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()))
        until(200, 2)
        accounts.grant(database, "lan", "agency", "reader")
        until(200, 4)
        accounts.revoke(database, "lan", "agency", "reader")
        until(200, 2)
        accounts.lock(database, "lan")
        until(401, None)
