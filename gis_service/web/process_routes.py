"""Processes, jobs and reports: the answers of gis_service.processes behind our routes."""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.processes.routes import Answer, Asking
from gis_service.texts import say
from gis_service.web import pages, render
from gis_service.web.context import Context
from gis_service.web.message import Request, Response
from gis_service.web.negotiate import wants_html
from gis_service.web.router import READ, Route, route

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
    section = request.path.split("/")[1]
    document = answer.document or {}
    heading = str(document.get("title") or say(_HEADINGS.get(section, "web.jobs"), request.lang))
    return render.html(request, pages.document(render.frame(request), document, heading, section))


def routes() -> list[Route]:
    post, delete = ("POST", "OPTIONS"), (*READ, "DELETE")
    return [
        route("processes", "/processes", delegated, plain=False),
        route("process", "/processes/{}", delegated, plain=False),
        route("execution", "/processes/{}/execution", delegated, post, plain=False),
        route("jobs", "/jobs", delegated, plain=False),
        route("job", "/jobs/{}", delegated, delete, plain=False),
        route("results", "/jobs/{}/results", delegated, plain=False),
        route("report", "/reports/{}", delegated, plain=False),
    ]
