"""pygeoapi's API object and process functions over our values: the only module that loads it.

The configuration is built here, no environment variable is read and no framework comes with it.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pygeoapi.api import API, APIRequest
from pygeoapi.api import processes as ogc

from gis_service.errors import GisError, InvalidParameter
from gis_service.processes.catalogue import PROCESSES
from gis_service.processes.errors import BadExecution
from gis_service.processes.job import Job
from gis_service.processes.manager import Held

if TYPE_CHECKING:
    from gis_service.processes.routes import Asking

Reply = tuple[int, tuple[tuple[str, str], ...], bytes]
_ERRORS = {"InvalidParameterValue": InvalidParameter, "MissingParameterValue": BadExecution}


def _config() -> dict[str, Any]:
    words = {"en": "gis-service", "vi": "gis-service"}
    return {
        "server": {
            "url": "",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US", "vi-VN"],
            "pretty_print": False,
            "limits": {"default_items": 10, "max_items": 1000},
            "map": {"url": "", "attribution": ""},
            "manager": {"name": "gis_service.processes.manager.Manager"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": words, "description": words, "keywords": [], "url": ""},
            "license": {"name": "", "url": ""},
            "provider": {"name": "", "url": ""},
            "contact": {},
        },
        "resources": {
            name: {
                "type": "process",
                "processor": {"name": "gis_service.processes.manager.Described", "process": name},
            }
            for name in PROCESSES
        },
    }


class Engine:
    """pygeoapi, held once and lent to each request as a copy with its own address and jobs."""

    def __init__(self) -> None:
        handlers = logging.getLogger().handlers[:]
        self._api = API(_config(), {})
        logging.getLogger().handlers[:] = handlers  # pygeoapi puts its own among them

    @property
    def processes(self) -> Sequence[str]:
        return tuple(self._api.manager.processes)

    def describe(self, asking: Asking, process: str | None) -> Reply:
        """The list of processes, or the description of one."""
        return _served(self._call(asking, Held(asking.lang), ogc.describe_processes, process))

    def jobs(self, asking: Asking, jobs: Sequence[Job], matched: int) -> Reply:
        """A page of the caller's jobs."""
        held = Held(asking.lang, {job.job_id: job for job in jobs}, matched)
        return _as_status(self._call(asking, held, ogc.get_jobs))

    def job(self, asking: Asking, job: Job) -> Reply:
        """The status of a job."""
        held = Held(asking.lang, {job.job_id: job}, 1)
        return _as_status(self._call(asking, held, ogc.get_jobs, job.job_id))

    def dismiss(self, asking: Asking, job: Job) -> Reply:
        """What is said of a job that is dismissed."""
        held = Held(asking.lang, {job.job_id: job}, 1)
        reply = self._call(asking, held, ogc.delete_job, job.job_id)
        return _as_status(reply, type="process", processID=job.process_id)

    def result(self, asking: Asking, job: Job, value: object) -> Reply:
        """The results document of a successful job."""
        held = Held(asking.lang, {job.job_id: job}, 1, result=("application/json", value))
        return self._call(asking, held, ogc.get_job_result, job.job_id)

    def execute(self, asking: Asking, process: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is to be executed, once pygeoapi and the process have agreed to it."""
        held = Held(asking.lang)
        # The callbacks were judged before and are ours to make; the area may be large and is the worker's.
        given = document.get("inputs", {})
        area = {"area": given["area"]} if isinstance(given.get("area"), dict) else {}
        plain = {name: value for name, value in document.items() if name != "subscriber"}
        plain["inputs"] = {**given, **{name: {} for name in area}}
        self._call(asking, held, ogc.execute_process, process, body=json.dumps(plain).encode())
        assert held.asked is not None, "pygeoapi has called the manager, or it would have refused"
        inputs = PROCESSES[process].check({**held.asked.inputs, **area})
        response = "document" if held.asked.response == "document" else "raw"
        return {
            "process": process,
            "inputs": inputs,
            "response": response,
            "format": inputs.get("format", "json"),
        }

    def _call(
        self, asking: Asking, held: Held, function: Any, *arguments: object, body: bytes = b""
    ) -> Reply:
        api = copy.copy(self._api)
        api.base_url = asking.links.base
        api.manager = copy.copy(api.manager)
        api.manager.held = held
        asked = SimpleNamespace(
            args={**asking.parameters, "f": "json", "lang": asking.lang},
            headers={"accept": "application/json"},
            path_info=asking.path,
            data=body,
        )
        request = APIRequest.from_flask(asked, api.locales)
        headers, status, content = function(api, request, *arguments)
        text = content if isinstance(content, bytes) else str(content).encode()
        if status >= 400:
            raise _refusal(text)
        return int(status), _headers(headers, asking.lang), text


def _served(reply: Reply) -> Reply:
    """The reply without links to pygeoapi's JSON-LD, an encoding that isn't served here."""
    status, headers, body = reply
    document = json.loads(body)
    for part in (document, *document.get("processes", ())):
        part["links"] = [link for link in part.get("links", ()) if link.get("type") != "application/ld+json"]
    return status, headers, json.dumps(document, ensure_ascii=False).encode()


def _as_status(reply: Reply, **more: str) -> Reply:
    """The reply as statusInfo.yaml has it: with its type, and without members that have no value yet."""
    status, headers, body = reply
    document = _without_nulls({**json.loads(body), **more})
    return status, headers, json.dumps(document, ensure_ascii=False).encode()


def _without_nulls(value: Any) -> Any:  # JSON
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _headers(found: Mapping[str, str], lang: str) -> tuple[tuple[str, str], ...]:
    media_type = str(found.get("Content-Type", "application/json"))
    return (("content-type", media_type), ("content-language", lang), ("cache-control", "no-store"))


def _refusal(content: bytes) -> GisError:
    """pygeoapi's exception document as one of ours."""
    said = json.loads(content)
    kind = _ERRORS.get(str(said.get("code")), GisError)
    return kind(str(said.get("description", "")))
