"""Processes as the web knows them: what their inputs may be, in words of OGC API Processes.

The work is done elsewhere, by libraries that web workers do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from gis_service.processes.errors import BadExecution
from gis_service.texts import LANGUAGES, say

Schema = Mapping[str, Any]  # JSON Schema, of which `_fault` reads these: type, enum, minimum, maximum, items
GEOJSON: Final[Schema] = {
    "type": "object",
    "contentMediaType": "application/geo+json",
    "format": "geojson-geometry",
}
DAY: Final[Schema] = {"type": "string", "format": "date"}
LONGEST: Final = 200  # letters of a text
MOST: Final = 50  # entries of a list
_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}


@dataclass(frozen=True)
class Input:
    """One input: its schema, and whether it must be given."""

    schema: Schema
    needed: bool = False


def _no_more(_inputs: Mapping[str, Any]) -> None:
    """Nothing else has to hold."""


@dataclass(frozen=True)
class Process:
    """A process with its inputs. Titles and descriptions are texts: process.{id}, process.{id}.{input}.

    `resident`: the geoprocessor answers it at once; other processes are jobs of a worker.
    """

    id: str
    inputs: Mapping[str, Input]
    example: Mapping[str, Any]
    output: str = "result"
    keywords: tuple[str, ...] = ()
    resident: bool = True
    also: Callable[[Mapping[str, Any]], None] = field(default=_no_more)

    def check(self, inputs: object) -> Mapping[str, Any]:
        """The inputs, with what wasn't given filled in; BadExecution says which is wrong and why."""
        if not isinstance(inputs, dict):
            raise refused("process.input.object")
        for name in inputs:
            if name not in self.inputs:
                raise refused("process.input.unknown", name=str(name)[:50], known=", ".join(self.inputs))
        given = {name: value for name, value in inputs.items() if value is not None}
        for name, declared in self.inputs.items():
            if name not in given and declared.needed:
                raise refused("process.input.missing", name=name)
            if name in given:
                _check(name, declared.schema, given[name])
        found = {
            name: each.schema["default"] for name, each in self.inputs.items() if "default" in each.schema
        }
        self.also({**found, **given})
        return {**found, **given}

    def metadata(self) -> dict[str, Any]:
        """The description as OGC API Processes has it, in both languages."""
        return {
            "version": "1.0.0",
            "id": self.id,
            "title": _both(f"process.{self.id}.title"),
            "description": _both(f"process.{self.id}"),
            "jobControlOptions": ["sync-execute", "async-execute"],
            "keywords": list(self.keywords),
            "links": [],
            "inputs": {name: self._input(name, each) for name, each in self.inputs.items()},
            "outputs": {
                self.output: {
                    "title": _both(f"process.{self.id}.{self.output}.title"),
                    "description": _both(f"process.{self.id}.{self.output}"),
                    "schema": {"type": "object", "contentMediaType": "application/json"},
                }
            },
            "example": {"inputs": dict(self.example)},
        }

    def _input(self, name: str, declared: Input) -> dict[str, Any]:
        return {
            "title": _both(f"process.{self.id}.{name}.title"),
            "description": _both(f"process.{self.id}.{name}"),
            "schema": dict(declared.schema),
            "minOccurs": int(declared.needed),
            "maxOccurs": 1,
        }


def refused(key: str, **values: object) -> BadExecution:
    """A refusal in the words of a text."""
    return BadExecution(say(key, "en", **values), key=key, **values)


def _both(key: str) -> dict[str, str]:
    return {lang: say(key, lang) for lang in LANGUAGES}


def _check(name: str, schema: Schema, value: object) -> None:
    wanted = _fault(schema, value)
    if wanted is not None:
        raise refused(wanted[0], name=name, **wanted[1])


def _fault(schema: Schema, value: object) -> tuple[str, dict[str, object]] | None:
    """Why a value isn't what the schema asks for, as a text with its values."""
    kind = str(schema["type"])
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return "process.input.type", {"type": kind}
    if "enum" in schema and value not in schema["enum"]:
        return "process.input.enum", {"known": ", ".join(map(str, schema["enum"]))}
    if isinstance(value, str):
        return _fault_of_text(schema, value)
    if isinstance(value, (int, float)) and not _within(schema, value):
        return "process.input.range", {"low": schema.get("minimum"), "high": schema.get("maximum")}
    return _fault_of_list(schema, value) if isinstance(value, list) else None


def _fault_of_list(schema: Schema, values: list[object]) -> tuple[str, dict[str, object]] | None:
    most = schema.get("maxItems", MOST)
    if len(values) > most:
        return "process.input.many", {"most": most}
    return next((fault for each in values if (fault := _fault(schema["items"], each))), None)


def _fault_of_text(schema: Schema, value: str) -> tuple[str, dict[str, object]] | None:
    if len(value) > schema.get("maxLength", LONGEST):
        return "process.input.long", {"most": schema.get("maxLength", LONGEST)}
    if schema.get("format") == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            return "process.input.day", {}
    return None


def _within(schema: Schema, value: float) -> bool:
    low, high = schema.get("minimum", -1e300), schema.get("maximum", 1e300)
    return bool(low <= value <= high)  # false of NaN too
