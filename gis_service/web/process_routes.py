"""Processes, jobs and reports: the answers of gis_service.processes behind our routes."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.processes.routes import Answer, Asking
from gis_service.texts import say
from gis_service.web import pages, process_pages, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import PLAIN, READ, Route, route

_HEADINGS = {"processes": "web.processes", "jobs": "web.jobs"}


async def delegated(context: Context, request: Request, _: Sequence[str]) -> Response:
    """What the processes answer; their documents as pages for those who ask with a browser."""
    answer = await context.processes.handle(asking(request))
    if answer.document is not None and answer.status == 200 and _is_for_people(request):
        return _page(request, answer)
    return Response(answer.status, answer.headers, answer.body)


def asking(request: Request) -> Asking:
    """The request as the processes take it."""
    return Asking(
        method=request.method,
        path=request.path,
        parameters=request.parameters,
        headers=request.headers,
        principal=request.principal,
        lang=request.lang,
        links=request.links,
        read=request.read,
    )


def _is_for_people(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and wants_html(request.parameters, request.header("accept"))


def _page(request: Request, answer: Answer) -> Response:
    """The page of the processes' list, a process, the jobs' list or a job; anything else as it is."""
    document, frame = answer.document or {}, render.frame(request)
    section, *rest = [part for part in request.path.split("/") if part]
    if section == "processes" and len(rest) == 1:
        return render.html(request, process_pages.process(frame, document))
    if section == "jobs" and len(rest) < 2:
        made = process_pages.job(frame, document) if rest else process_pages.jobs(frame, document)
        return render.html(request, made)
    heading = str(document.get("title") or say(_HEADINGS.get(section, "web.jobs"), request.lang))
    return render.html(request, pages.document(frame, document, heading, section))


def routes() -> list[Route]:
    post, delete = ("POST", "OPTIONS"), (*READ, "DELETE")
    return [
        route("processes", "/processes", delegated, parameters=(*PLAIN, "limit")),
        route("process", "/processes/{}", delegated),
        route("execution", "/processes/{}/execution", delegated, post),
        route("jobs", "/jobs", delegated, parameters=(*PLAIN, "limit", "offset")),
        route("job", "/jobs/{}", delegated, delete),
        route("results", "/jobs/{}/results", delegated),
        route("report", "/reports/{}", delegated),
    ]
