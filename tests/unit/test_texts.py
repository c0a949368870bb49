"""Every sentence for people exists in both languages, with the same places for values."""

from string import Formatter

import pytest

from gis_service.texts import LANGUAGES, Sentence, catalogue, say


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_each_sentence_stands_in_both_languages() -> None:
    missing = [key for key, said in catalogue().items() if any(not said.get(lang) for lang in LANGUAGES)]
    assert not missing


def test_both_languages_have_the_same_places() -> None:
    differing = [key for key, said in catalogue().items() if _places(said["en"]) != _places(said["vi"])]
    assert not differing


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        say("no.such.sentence", "en")


def test_a_language_we_do_not_have_is_answered_in_english() -> None:
    key = next(iter(catalogue()))
    assert say(key, "fr") == say(key, "en")


def test_a_sentence_within_another_is_said_in_its_language() -> None:
    reason = Sentence("geo.four-or-six")
    assert reason == "four or six numbers are needed"
    said = say("web.bad-bbox", "vi", value="1,2", reason=reason)
    assert said == "bbox '1,2' không phải là một khung: cần bốn hoặc sáu số."
