"""Old Vietnamese text is known by its letters and read right."""

import pytest

from gis_service.exchange import tcvn3

# As readers show them that take TCVN3 for Latin-1.
WORDS = {
    "ViÖt Nam": "Việt Nam",
    "V­ên quèc gia Cóc Ph­¬ng": "Vườn quốc gia Cúc Phương",
    "§µ N½ng": "Đà Nẵng",
    "Thõa Thiªn HuÕ": "Thừa Thiên Huế",
    "Qu¶ng Ng·i": "Quảng Ngãi",
    "Khu b¶o tån thiªn nhiªn": "Khu bảo tồn thiên nhiên",
    "Kiªn Giang": "Kiên Giang",
    "B¾c K¹n": "Bắc Kạn",
}


@pytest.mark.parametrize(("shown", "meant"), WORDS.items())
def test_words_are_decoded(shown: str, meant: str) -> None:
    assert tcvn3.decode(shown) == meant


def test_vietnamese_of_old_maps_is_recognised() -> None:
    assert tcvn3.looks_like(WORDS)


@pytest.mark.parametrize(
    "words",
    [["Parc national de Pô", "Forêt classée de Téré"], ["Zürich", "Genève"], ["plain"], ["5 µm", "10°"]],
)
def test_other_languages_are_left_alone(words: list[str]) -> None:
    assert not tcvn3.looks_like(words)


def test_every_vietnamese_small_letter_has_its_byte() -> None:
    marked = set("àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ")
    assert marked <= set(tcvn3.TABLE.values())
