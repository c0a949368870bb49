"""Processes and jobs as pages: what a process needs and gives, how far a job has come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gis_service.texts import catalogue
from gis_service.web.frame import Document, Frame, Urls, formats, listed, rendered

_STATES = ("accepted", "running", "successful", "failed", "dismissed")
_TIMES = ("created", "started", "updated", "finished")
_INPUT_OF_AREAS = "area"  # a process that takes one can be asked from the map


@dataclass(frozen=True, slots=True)
class Value:
    """An input or an output in words."""

    name: str
    title: str
    about: str
    type: str
    default: str = ""
    values: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job in words."""

    name: str
    href: str
    process: str
    process_href: str
    state: str
    words: str
    progress: int
    message: str
    times: tuple[tuple[str, str], ...]


def process(frame: Frame, doc: Document) -> str:
    """What one process does, takes and gives."""
    inputs, outputs = (list(_values(frame, doc.get(part, {}))) for part in ("inputs", "outputs"))
    return rendered(
        "process.html",
        frame,
        "processes",
        trail=((frame.say("web.processes"), frame.links.processes()), (doc["title"], "")),
        doc=doc,
        inputs=inputs,
        outputs=outputs,
        on_map=_INPUT_OF_AREAS in doc.get("inputs", {}),
        example=json.dumps(doc["example"], ensure_ascii=False, indent=2) if "example" in doc else "",
        address=frame.links.execution(doc["id"]),
        formats=formats(doc),
    )


def jobs(frame: Frame, doc: Document) -> str:
    """The jobs that the caller may know of, the newest as the service lists them."""
    made = [job_of(frame, each) for each in doc.get("jobs", ())]
    return rendered("jobs.html", frame, "processes", jobs=made, formats=formats(doc))


def job(frame: Frame, doc: Document) -> str:
    """How far one job has come, and where its results are."""
    made = job_of(frame, doc)
    steps = ((frame.say("web.jobs"), frame.links.jobs()), (made.name, ""))
    return rendered(
        "job.html", frame, "processes", trail=steps, job=made, listed=listed(doc), formats=formats(doc)
    )


def job_of(frame: Frame, doc: Document) -> Job:
    name, process_id, state = (str(doc.get(key, "")) for key in ("jobID", "processID", "status"))
    urls = Urls(frame)
    times = ((key, str(doc[key])[:19].replace("T", " ")) for key in _TIMES if doc.get(key))
    return Job(
        name=name,
        href=urls.page(frame.links.job(name)),
        process=process_id,
        process_href=urls.page(frame.links.process(process_id)),
        state=state,
        words=frame.say(f"page.job.{state}") if state in _STATES else state,
        progress=int(doc.get("progress") or 0),
        message=str(doc.get("message") or ""),
        times=tuple((frame.say(f"page.job.time.{key}"), time) for key, time in times),
    )


def _values(frame: Frame, parts: Mapping[str, Any]) -> Iterable[Value]:
    for name, part in parts.items():
        schema = part.get("schema", {})
        default = schema.get("default")
        yield Value(
            name=name,
            title=str(part.get("title") or name),
            about=str(part.get("description") or ""),
            type=_type(frame, schema),
            default="" if default in (None, "") else str(default),
            values=tuple(str(each) for each in schema.get("enum", ())),
            needed=int(part.get("minOccurs", 0)) > 0,
        )


def _type(frame: Frame, schema: Mapping[str, Any]) -> str:
    """GeoJSON and the like by their media type, dates by their format, the rest by their JSON type."""
    for kind in (schema.get("contentMediaType"), schema.get("format"), schema.get("type")):
        key = f"page.kind.{str(kind).rpartition('/')[2]}"
        if kind and key in catalogue():
            return frame.say(key)
    return str(schema.get("contentMediaType") or schema.get("type") or "")
