"""What is wrong with an edited feature, member by member, said in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gis_service.errors import GisError
from gis_service.texts import say

SHOWN = 20  # faults that a sentence for people names; a list for programs has them all


class Sayable(Protocol):
    """A reason that knows its sentence: of this catalogue, of a check, of the loader."""

    def say(self, lang: str) -> str: ...


@dataclass(frozen=True)
class Reason:
    """A sentence of the catalogue, `edit.<key>`."""

    key: str
    values: dict[str, object] = field(default_factory=dict, hash=False)

    def say(self, lang: str) -> str:
        return say(f"edit.{self.key}", lang, **self.values)


@dataclass(frozen=True)
class Fault:
    """One fault: where it stands in the document (RFC 6901, as a fragment), the rule, the reason."""

    pointer: str
    rule: str
    reason: Sayable


class FieldsRefused(GisError):
    """The feature can't be taken as it is: {detail}"""

    status, code, exit_code = 422, "fields-refused", 4

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.say("en"))

    def say(self, lang: str) -> str:
        """All of it as one text: some clients show their users nothing but this."""
        sentences = [f"{each.pointer}: {each.reason.say(lang)}" for each in self.faults[:SHOWN]]
        return "; ".join(sentences)

    def listed(self, lang: str) -> list[dict[str, str]]:
        """The faults as RFC 9457 lists them."""
        return [
            {"pointer": each.pointer, "rule": each.rule, "detail": each.reason.say(lang)}
            for each in self.faults
        ]


def fault(pointer: str, rule: str, **values: object) -> Fault:
    """A fault whose rule is also the key of its sentence."""
    return Fault(pointer, rule, Reason(rule, values))


def at(*steps: object) -> str:
    """The pointer to a member, as the fragment of an address."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
