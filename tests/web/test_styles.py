"""Styles, legends, letters and icons as clients get them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tests.conftest import ROOT
from tests.web.conftest import Sample

ITALIC = "/fonts/Noto Sans Italic"
NUMBER, SIGNED, TEXT, BLOB, MESSAGE = 13, 17, 9, 12, 11  # types of fields in descriptors
SCHEMA = {
    "glyph": (("id", NUMBER), ("bitmap", BLOB), ("width", NUMBER), ("height", NUMBER), ("left", SIGNED),
              ("top", SIGNED), ("advance", NUMBER)),
    "fontstack": (("name", TEXT), ("range", TEXT), ("glyphs", MESSAGE, "glyph")),
    "glyphs": (("stacks", MESSAGE, "fontstack"),),
}  # fmt: skip


def letters(body: bytes) -> dict[str, Any]:
    """Decoded by Google's library after the schema of MapLibre's glyphs, by letter."""
    file = descriptor_pb2.FileDescriptorProto(name="glyphs.proto", package="g", syntax="proto2")
    for name, fields in SCHEMA.items():
        made = file.message_type.add(name=name)
        for number, (field, kind, *of) in enumerate(fields, 1):
            label = 3 if of else 1
            of_type = f".g.{of[0]}" if of else None
            made.field.add(name=field, number=number, type=kind, label=label, type_name=of_type)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    read: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("g.glyphs"))()
    read.ParseFromString(body)
    return {chr(glyph.id): glyph for glyph in read.stacks[0].glyphs}


def test_every_letter_of_vietnamese_is_there(web: httpx.Client) -> None:
    ranges = {ord(letter) // 256 * 256 for letter in "aăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"}
    assert ranges == {0, 256, 7680}
    known: dict[str, Any] = {}
    for first in ranges:
        answer = web.get(f"{ITALIC}/{first}-{first + 255}.pbf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
        assert "max-age" in answer.headers["cache-control"]
        known |= letters(answer.content)
    assert set("ĂẬỀỆỗợựỹĐđ") <= known.keys()
    assert known["ệ"].height > known["e"].height, "with a mark above and one below"


def test_the_outline_of_a_letter_lies_at_three_quarters(web: httpx.Client) -> None:
    """A bar of Noto Sans Bold at 24 px is 2.5 px wide, within a border of 3 px."""
    letter = letters(web.get("/fonts/Noto Sans Bold/0-255.pbf").content)["|"]
    wide, high = letter.width + 6, letter.height + 6
    assert len(letter.bitmap) == wide * high
    row = letter.bitmap[high // 2 * wide : (high // 2 + 1) * wide]
    rises = [after - before for before, after in pairwise(row[:4])]
    assert rises == pytest.approx([255 / 8] * 3, abs=1.1), "distance falls by an eighth of a byte a pixel"
    stem = sum(min(max((value - 191) / 32 + 0.5, 0), 1) for value in row)
    assert 1.5 < stem < 4, "pixels of ink"
    assert letters(web.get("/fonts/Noto Sans Bold/0-255.pbf").content)[" "].bitmap == b""


def test_a_stack_takes_the_first_font_that_it_knows(web: httpx.Client) -> None:
    known = web.get(f"{ITALIC}/0-255.pbf").content
    assert web.get("/fonts/Nobody's,Noto Sans Italic/0-255.pbf").content == known
    both = letters(web.get("/fonts/Noto Sans Regular,Noto Sans Italic/0-255.pbf").content)
    assert both["a"].bitmap == letters(web.get("/fonts/Noto Sans Regular/0-255.pbf").content)["a"].bitmap


@pytest.mark.parametrize(
    "path",
    [
        "/fonts/Nobody's/0-255.pbf", "/fonts/" + "Noto Sans Bold," * 9 + "/0-255.pbf",
        "/fonts/..%2f..%2fetc/0-255.pbf", f"{ITALIC}/1-256.pbf", f"{ITALIC}/0-256.pbf",
        f"{ITALIC}/65536-65791.pbf", f"{ITALIC}/-256--1.pbf", f"{ITALIC}/0-255", f"{ITALIC}/٠-255.pbf",
        "/sprites/other.json", "/sprites/icons@9x.png", "/styles/overview/legend.gif",
        "/styles/nothing/legend.svg",
    ],
)  # fmt: skip
def test_v4_what_is_no_font_range_icon_or_legend_is_404(path: str, web: httpx.Client) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_v3_the_sheet_of_icons_has_what_styles_draw_with(web: httpx.Client, sampled: Sample) -> None:
    """QGIS asks for the one with two dots to a pixel first, then for the plain one."""
    style = web.get("/styles/protected-areas").json()
    assert style["sprite"] == f"{sampled.url}/sprites/icons"
    for ending, ratio in (("@2x", 2), ("", 1)):
        places = web.get(f"{style['sprite']}{ending}.json").json()
        assert places["hatch"] == {
            "x": 0,
            "y": 0,
            "width": 8 * ratio,
            "height": 8 * ratio,
            "pixelRatio": ratio,
        }
        picture = web.get(f"{style['sprite']}{ending}.png")
        assert picture.headers["content-type"] == "image/png"
        size = struct.unpack(">2I", picture.content[16:24])
        assert size == (17 * ratio, 8 * ratio), "two icons of 8 px with a pixel between"


def test_v2_glyphs_and_icons_have_absolute_addresses(web: httpx.Client, sampled: Sample) -> None:
    """And row M5: sources name no encoding, for tiles are MVT whatever is accepted."""
    style = web.get("/styles/overview").json()
    assert not any("encoding" in source for source in style["sources"].values())
    assert style["glyphs"] == sampled.url + "/fonts/{fontstack}/{range}.pbf"
    stacks = {",".join(each["layout"]["text-font"]) for each in style["layers"] if each["type"] == "symbol"}
    for stack in stacks:
        assert web.get(style["glyphs"].format(fontstack=stack, range="0-255")).status_code == 200


def test_labels_are_in_the_readers_language(web: httpx.Client) -> None:
    def labels(lang: str) -> dict[str, Any]:
        layers = web.get("/styles/provinces", params={"lang": lang}).json()["layers"]
        return {each["id"]: each for each in layers if each["type"] == "symbol"}

    assert labels("vi")["provinces-label"]["layout"]["text-field"] == ["get", "name"]
    english = labels("en")
    assert english["provinces-label"]["layout"]["text-field"] == ["get", "name_en"]
    assert english["provinces-label"]["filter"][-1] == ["has", "name_en"]
    rest = english["provinces-label-unnamed"]
    assert (rest["layout"]["text-field"], rest["filter"][-1]) == (["get", "name"], ["!", ["has", "name_en"]])


def test_a_style_comes_in_dark_colours(web: httpx.Client) -> None:
    layers = {each["id"]: each for each in web.get("/styles/overview?theme=dark").json()["layers"]}
    assert layers["background"]["paint"]["background-color"] == "#101b20"
    assert layers["protected-areas-indicative-hatch"]["paint"]["fill-pattern"] == "hatch-dark"
    assert web.get("/styles/overview?theme=pink").status_code == 400


@pytest.mark.parametrize(("lang", "title"), [("vi", "Vườn quốc gia"), ("en", "National park")])
def test_a_legend_says_what_the_style_draws(lang: str, title: str, web: httpx.Client) -> None:
    answer = web.get("/styles/overview/legend.svg", params={"lang": lang})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert f">{title}</text>" in answer.text
    assert answer.text.count("<rect") > 5


def test_a_legend_comes_as_a_picture_with_two_dots_to_a_pixel(web: httpx.Client) -> None:
    drawing = web.get("/styles/plots/legend.svg?lang=vi").text
    width, height = (int(drawing.split(f'{side}="')[1].split('"')[0]) for side in ("width", "height"))
    picture = web.get("/styles/plots/legend.png?lang=vi")
    assert picture.headers["content-type"] == "image/png"
    assert struct.unpack(">2I", picture.content[16:24]) == (2 * width, 2 * height)


def test_m7_every_style_is_valid_as_it_is_served(web: httpx.Client, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    spec = ROOT / "node_modules/@maplibre/maplibre-gl-style-spec/dist/gl-style-validate.mjs"
    for entry in web.get("/styles").json()["styles"]:
        for lang in ("vi", "en"):
            path = tmp_path / f"{entry['id']}-{lang}.json"
            path.write_text(web.get(f"/styles/{entry['id']}?lang={lang}").text, "utf-8")
    run = subprocess.run(
        [node, str(spec), *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
