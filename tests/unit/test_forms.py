"""The bodies of forms in their three encodings."""

import pytest

from gis_service.errors import GisError, InvalidParameter, UnsupportedMedia
from gis_service.web import forms
from gis_service.web.forms import Upload

PARTS = (
    '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nRanh giới\r\n'
    '--b\r\nContent-Disposition: form-data; name="out"\r\n\r\n3\r\n'
    '--b\r\nContent-Disposition: form-data; name="out"\r\n\r\n5\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"; filename="khu.gpkg"\r\n'
    "Content-Type: application/geopackage+sqlite3\r\n\r\nbytes\r\n"
    '--b\r\nContent-Disposition: form-data; name="photo"; filename=""\r\n\r\n\r\n--b--\r\n'
).encode()


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/x-www-form-urlencoded", b"title=Ranh+gi%E1%BB%9Bi&out=3&out=5"),
        ("multipart/form-data; boundary=b", PARTS),
        ("application/json; charset=utf-8", '{"title": "Ranh giới", "out": [3, "5"], "none": null}'.encode()),
    ],
)
def test_the_same_fields_come_in_three_encodings(media: str, body: bytes) -> None:
    fields = forms.parse(media, body)
    assert fields.text("title") == "Ranh giới"
    assert fields.all("out") == ("3", "5")
    assert fields.text("none", "–") == "–"


def test_a_file_is_told_from_a_field_and_an_empty_file_input_is_none() -> None:
    fields = forms.parse("multipart/form-data; boundary=b", PARTS)
    assert fields.files == {"file": Upload("khu.gpkg", "application/geopackage+sqlite3", b"bytes")}


def test_nothing_sent_is_no_fields() -> None:
    assert forms.parse("", b"").values == {}


@pytest.mark.parametrize(
    ("media", "body", "error"),
    [
        ("text/plain", b"title=x", UnsupportedMedia),
        ("", b"title=x", UnsupportedMedia),
        ("application/json", b"[1]", InvalidParameter),
        ("application/json", b'{"title": ', InvalidParameter),
        ("application/json", b'{"title": "\\u0000"}', InvalidParameter),
        ("application/x-www-form-urlencoded", b"title=%FF", InvalidParameter),
        ("application/x-www-form-urlencoded", b"title=a%00b", InvalidParameter),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(10_001)), InvalidParameter),
        ("multipart/form-data", PARTS, InvalidParameter),
        ("multipart/form-data; boundary=other", PARTS, InvalidParameter),
        ("multipart/form-data; boundary=b", PARTS[:-20], InvalidParameter),
        ("multipart/form-data; boundary=b", PARTS.replace(b"Ranh", b"\xff"), InvalidParameter),
    ],
)
def test_a_body_that_cannot_be_understood_is_refused(media: str, body: bytes, error: type[GisError]) -> None:
    with pytest.raises(error):
        forms.parse(media, body)
