"""OGC API Processes as one function from a request to an answer, whatever the web server's types are."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gis_service.access.principal import Principal
from gis_service.db import jobs_sql
from gis_service.db.pool import Database
from gis_service.errors import GisError, InvalidParameter, MethodNotAllowed, NotFound
from gis_service.links import Links
from gis_service.processes import reading, resident
from gis_service.processes.catalogue import PROCESSES
from gis_service.processes.errors import (
    BadExecution,
    CallbackRefused,
    NoSuchJob,
    NoSuchProcess,
    ResultNotReady,
    TooManyJobs,
    sentence,
)
from gis_service.processes.job import Job
from gis_service.processes.resident import Question
from gis_service.settings import Settings
from gis_service.texts import catalogue, say

if TYPE_CHECKING:  # importing pygeoapi takes 30 MB, which a web worker spends only when it must
    from gis_service.processes.engine import Engine

JSON = "application/json"
PROBLEM = "application/problem+json"
# The page may run its own script and nothing else; it asks nobody for anything.
PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
MOST_UNFINISHED = 20
MOST_UNFINISHED_PUBLIC = 200  # shared by everybody without a key
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REPORT = re.compile(rf"({_UUID.pattern})(?:\.(html|json|csv))?")
_LONGEST_PAUSE = 0.25


@dataclass(frozen=True)
class Asking:
    """A request, without any server's types."""

    method: str
    path: str  # decoded, below the public address
    parameters: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    principal: Principal
    lang: str
    links: Links
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True)
class Answer:
    """A response; `document` is the JSON behind the body where a page for people may show it instead."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    document: Mapping[str, Any] | None = None


@dataclass
class Processes:
    """The processes of one web process; pygeoapi is loaded when it's first needed, or before by `warm`."""

    settings: Settings
    database: Database
    _engine: Engine | None = field(default=None, init=False)
    # One body at a time is made into objects: a large one costs several times its bytes.
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def handle(self, asking: Asking) -> Answer:
        """The answer to any request below /processes, /jobs and /reports; a GisError for what is refused."""
        match asking.path.strip("/").split("/"):
            case ["processes", *rest]:
                return await self._processes(asking, rest)
            case ["jobs", *rest]:
                return await self._jobs(asking, rest)
            case ["reports", name]:
                return await self._report(asking, name)
        raise NotFound(asking.path)

    async def _processes(self, asking: Asking, rest: Sequence[str]) -> Answer:
        engine = await self._loaded()
        match rest:
            case []:
                _only(asking, "GET")
                return _answer(*engine.describe(asking, None))
            case [process]:
                _only(asking, "GET")
                return _answer(*engine.describe(asking, _known(engine, process)))
            case [process, "execution"]:
                _only(asking, "POST")
                return await self._execute(asking, engine, _known(engine, process))
        raise NotFound(asking.path)

    async def _jobs(self, asking: Asking, rest: Sequence[str]) -> Answer:
        engine = await self._loaded()
        match rest:
            case []:
                _only(asking, "GET")
                return await self._list(asking, engine)
            case [job_id]:
                _only(asking, "GET", "DELETE")
                job = await self._job(asking, job_id)
                if asking.method == "DELETE":
                    return await self._dismiss(asking, engine, job)
                return _answer(*engine.job(asking, job))
            case [job_id, "results"]:
                _only(asking, "GET")
                return await self._results(asking, engine, await self._job(asking, job_id))
        raise NotFound(asking.path)

    async def warm(self, after_seconds: float) -> None:
        """Load pygeoapi when the first pages have been served, so that nobody's first report waits for it."""
        await asyncio.sleep(after_seconds)
        await self._loaded()

    async def _loaded(self) -> Engine:
        if self._engine is None:
            self._engine = await asyncio.to_thread(_load)
        return self._engine

    async def _list(self, asking: Asking, engine: Engine) -> Answer:
        """The caller's own jobs; what the public asked for is listed to nobody."""
        limit = min(_whole(asking, "limit", 10), 1000)
        offset = _whole(asking, "offset", 0)
        principal = asking.principal
        if principal.tier == "public":
            return _answer(*engine.jobs(asking, [], 0))
        rows = await self.database.run(jobs_sql.jobs(principal.name, principal.policy_class, limit, offset))
        matched = await self.database.run(jobs_sql.count(principal.name, principal.policy_class))
        return _answer(*engine.jobs(asking, [Job.of(row) for row in rows], int(matched[0][0])))

    async def _job(self, asking: Asking, job_id: str) -> Job:
        """The job, or NoSuchJob alike where there is none and where it is somebody else's."""
        if _UUID.fullmatch(job_id):
            rows = await self.database.run(jobs_sql.job(job_id))
            if rows and (job := Job.of(rows[0])).belongs_to(asking.principal):
                return job
        raise NoSuchJob

    async def _dismiss(self, asking: Asking, engine: Engine, job: Job) -> Answer:
        answer = _answer(*engine.dismiss(asking, job))
        if not (await self.database.run(jobs_sql.dismiss(job.job_id)))[0][0]:
            raise NoSuchJob
        return answer

    async def _execute(self, asking: Asking, engine: Engine, process: str) -> Answer:
        prefer = _preferences(asking.headers.get("prefer", ""))
        asked, callbacks = await self._asked(asking, engine, process)
        longest = min(
            prefer.get("wait", self.settings.limits.sync_seconds), self.settings.limits.sync_seconds
        )
        if PROCESSES[process].resident and "respond-async" not in prefer and callbacks is None:
            try:
                return await self._at_once(asking, asked, longest)
            except TimeoutError:
                longest = 0  # the worker asks again and waits for it
        job_id = await self._submit(asking, asked, callbacks)
        monitor = (("location", asking.links.job(job_id)),)
        applied: tuple[tuple[str, str], ...] = ()
        if "respond-async" in prefer:
            applied = (("preference-applied", "respond-async"),)
        else:
            await self._wait(job_id, longest)
        job = await self._job(asking, job_id)
        if job.ended and not applied:
            answer = await self._results(asking, engine, job)
            return Answer(answer.status, (*answer.headers, *monitor), answer.body, answer.document)
        _, _, body = engine.job(asking, job)
        return Answer(201, (*_json_headers(asking), *monitor, *applied), body)

    async def _at_once(self, asking: Asking, asked: Mapping[str, Any], seconds: float) -> Answer:
        """What the geoprocessor answers; there is no job behind it."""
        question = Question(asked["process"], asked["inputs"], asking.principal, asked["format"])
        reply = await resident.ask(self.settings.data_dir, question, seconds)
        if asked["response"] == "raw":
            headers = (("content-type", reply.media_type), *_json_headers(asking)[1:])
            return Answer(200, headers, reply.body)
        csv = asked["format"] == "csv"
        value: object = {"value": reply.body.decode("utf-8-sig"), "mediaType": reply.media_type}
        value = value if csv else json.loads(reply.body)
        body = json.dumps({PROCESSES[asked["process"]].output: value}, ensure_ascii=False)
        return Answer(200, _json_headers(asking), body.encode())

    async def _asked(
        self, asking: Asking, engine: Engine, process: str
    ) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        body = await asking.read()
        async with self._reading:
            vertices = self.settings.limits.report_vertices
            document = await asyncio.to_thread(reading.document, body, vertices)
        callbacks = document.get("subscriber")
        if callbacks is not None:
            self._check_callbacks(callbacks)
        return engine.execute(asking, process, document), callbacks

    def _check_callbacks(self, callbacks: object) -> None:
        """A server that calls any address it is told can be made to call its own neighbours."""
        if not isinstance(callbacks, dict):
            raise BadExecution(say("report.input.object", "en"), key="report.input.object")
        for address in callbacks.values():
            try:
                parts = urlsplit(str(address))
            except ValueError as err:
                raise CallbackRefused(str(address)[:100]) from err
            if parts.scheme not in ("http", "https") or parts.hostname not in self.settings.callback_hosts:
                raise CallbackRefused(str(parts.hostname or address)[:100])

    async def _submit(
        self, asking: Asking, asked: Mapping[str, Any], callbacks: Mapping[str, Any] | None
    ) -> str:
        who = asking.principal
        most = MOST_UNFINISHED_PUBLIC if who.tier == "public" else MOST_UNFINISHED
        query = jobs_sql.submit(
            asked["process"],
            (who.name, who.policy_class, who.tier, who.jurisdictions),
            {**asked, "callbacks": callbacks},
            asking.lang,
            asking.links.base,
            most,
        )
        ((job_id,),) = await self.database.run(query)
        if job_id is None:
            raise TooManyJobs(most=most)
        return str(job_id)

    async def _wait(self, job_id: str, seconds: float) -> None:
        """Wait until the job has ended, but no longer than that."""
        until, pause = time.monotonic() + seconds, 0.02
        while time.monotonic() < until:
            rows = await self.database.run(jobs_sql.status(job_id))
            if not rows or rows[0][0] in ("successful", "failed", "dismissed"):
                return
            await asyncio.sleep(min(pause, max(until - time.monotonic(), 0)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def _results(self, asking: Asking, engine: Engine, job: Job) -> Answer:
        """What a job made, as it was asked for; an error where it failed or hasn't ended."""
        if job.status in ("accepted", "running"):
            raise ResultNotReady
        if job.status == "failed":
            return _failure(asking, job)
        form = job.format
        media_type, body = await self._document(job, form, asking.lang)
        if form != "json" and job.response == "raw":
            return _page(media_type, body, asking.lang)
        report = _with_links(json.loads(body), asking.links, job) if form == "json" else body.decode()
        value = report if form == "json" else {"value": report, "mediaType": media_type}
        whole = value if job.response == "raw" else {PROCESSES[job.process_id].output: value}
        return _answer(*engine.result(asking, job, whole))

    async def _document(self, job: Job, form: str, lang: str) -> tuple[str, bytes]:
        name = f"report.{lang}.html" if form == "html" else f"report.{form}"
        rows = await self.database.run(jobs_sql.document(job.job_id, name))
        if not rows:
            raise NoSuchJob
        return rows[0][0], await asyncio.to_thread(gzip.decompress, rows[0][1])

    async def _report(self, asking: Asking, name: str) -> Answer:
        """A stored report as a file of its own: /reports/{job}.html, .json or .csv."""
        _only(asking, "GET")
        found = _REPORT.fullmatch(name)
        if found is None:
            raise NoSuchJob
        job_id, form = found[1], found[3] or "html"
        job = await self._job(asking, job_id)
        if job.status in ("accepted", "running"):
            raise ResultNotReady
        if job.status == "failed":
            return _failure(asking, job)
        media_type, body = await self._document(job, form, asking.lang)
        if form == "json":
            body = json.dumps(_with_links(json.loads(body), asking.links, job), ensure_ascii=False).encode()
        return _page(media_type, body, asking.lang)


def _load() -> Engine:
    from gis_service.processes.engine import Engine  # noqa: PLC0415  # 30 MB that most web workers never need

    return Engine()


def _known(engine: Engine, process: str) -> str:
    if process not in engine.processes:
        raise NoSuchProcess(repr(process[:100]))
    return process


def _only(asking: Asking, *methods: str) -> None:
    method = "GET" if asking.method == "HEAD" else asking.method
    if method not in methods:
        raise MethodNotAllowed(asking.method[:20], allow=", ".join(methods))


def _whole(asking: Asking, name: str, otherwise: int) -> int:
    text = asking.parameters.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise InvalidParameter(f"{name}={text[:20]!r} isn't a whole number")
    return int(text)


def _preferences(header: str) -> dict[str, float]:
    """RFC 7240: `respond-async, wait=10` as names with numbers, 0 where there is none."""
    found: dict[str, float] = {}
    for part in re.split(r"[,;]", header.lower()):
        name, _, value = part.strip().partition("=")
        if name == "wait" and not value.strip('" ').isdigit():
            continue
        found[name] = float(value.strip('" ')) if name == "wait" else 0.0
    return found


def _json_headers(asking: Asking) -> tuple[tuple[str, str], ...]:
    return (("content-type", JSON), ("content-language", asking.lang), ("cache-control", "no-store"))


def _answer(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> Answer:
    return Answer(status, headers, body, json.loads(body))


def _page(media_type: str, body: bytes, lang: str) -> Answer:
    headers = [
        ("content-type", media_type),
        ("content-language", lang),
        ("cache-control", "private, no-cache"),
    ]
    if media_type.startswith("text/html"):
        headers.append(("content-security-policy", PAGE_POLICY))
    return Answer(200, tuple(headers), body)


def _failure(asking: Asking, job: Job) -> Answer:
    """The error of a failed job as it would have been, had it been found at once."""
    kept = job.error or {}
    code, status = str(kept.get("code", GisError.code)), int(kept.get("status", 500))
    title = f"problem.{code}"
    problem = {
        "type": f"urn:gis-service:problem:{code}",
        "title": say(title if title in catalogue() else "report.job.failed", asking.lang),
        "status": status,
        "detail": sentence(code, kept.get("values") or {}, str(kept.get("detail", "")), asking.lang),
        "instance": asking.links.job(job.job_id),
    }
    headers = (("content-type", PROBLEM), ("content-language", asking.lang), ("cache-control", "no-store"))
    return Answer(status, headers, json.dumps(problem, ensure_ascii=False).encode(), problem)


def _with_links(report: dict[str, Any], links: Links, job: Job) -> dict[str, Any]:
    forms = (("text/html", ".html"), (JSON, ".json"), ("text/csv", ".csv"))
    found = [
        {"rel": "alternate", "type": media_type, "href": links.report(job.job_id, extension)}
        for media_type, extension in forms
    ]
    return {"links": [*found, {"rel": "monitor", "type": JSON, "href": links.job(job.job_id)}], **report}
