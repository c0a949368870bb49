"""What people call organisations, provinces and each other, for pages; programs are told the codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gis_service.db import called_sql
from gis_service.web.context import Context

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Called:
    """Names in the reader's language, by code; what has none is called by its code."""

    organisations: Names = field(default_factory=dict)
    provinces: Names = field(default_factory=dict)
    people: Names = field(default_factory=dict)

    def organisation(self, code: str) -> str:
        return self.organisations.get(code, code)

    def person(self, name: str) -> str:
        return self.people.get(name, name)

    def place(self, code: str) -> str:
        """A jurisdiction: a province, or the areas that a board looks after."""
        return self.provinces.get(code) or self.organisation(code)

    def reviewing(self, codes: Iterable[str]) -> list[str]:
        """The provinces among jurisdictions: boards decide on nothing."""
        return [
            self.place(each) for each in codes if each in self.provinces or each not in self.organisations
        ]


async def called(context: Context, lang: str, codes: Iterable[str], people: Iterable[str] = ()) -> Called:
    """The names of these organisations and provinces, and of these accounts."""
    found: dict[str, dict[str, str]] = {"organisation": {}, "province": {}, "person": {}}
    asked = called_sql.called(frozenset(codes), frozenset(people))
    for kind, code, name, name_en in await context.control_database.run(asked):
        found[kind][code] = name if lang == "vi" else name_en
    return Called(found["organisation"], found["province"], found["person"])
