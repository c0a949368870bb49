"""What can go wrong between asking for a process and fetching what it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gis_service.errors import Busy, Conflict, Forbidden, GisError, InvalidParameter, NotFound
from gis_service.texts import say

_OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


class NoSuchProcess(NotFound):
    """There is no process {detail}."""

    code, problem_type = "no-such-process", _OGC + "no-such-process"


class NoSuchJob(NotFound):
    """There is no such job, or it isn't yours."""

    code, problem_type = "no-such-job", _OGC + "no-such-job"


class ResultNotReady(NotFound):
    """The job hasn't ended yet; ask again later."""

    code, problem_type = "result-not-ready", _OGC + "result-not-ready"


class CallbackRefused(Forbidden):
    """This server doesn't call back to {detail}; its operator can allow a host by `callback_hosts`."""

    code = "callback-refused"


class BadExecution(InvalidParameter):
    """The request to execute can't be read: {detail}"""

    code = "bad-execution"


class TooManyJobs(Conflict):
    """You have {most} unfinished jobs already; wait for one to end or dismiss one."""

    status, code = 429, "too-many-jobs"


class JobDismissed(GisError):
    """The job was dismissed."""

    status, code = 410, "job-dismissed"


class WorkerStopping(GisError):
    """The worker was told to stop; the job goes back into the queue."""

    status, code = 503, "worker-stopping"


class JobLost(GisError):
    """The worker died {attempts} times over this job; it isn't tried again."""

    status, code = 503, "job-lost"


class EngineAway(Busy):
    """The geoprocessing engine isn't there or still starts; ask again in a few seconds."""

    code, exit_code = "engine-away", 5


def kept(err: GisError) -> dict[str, object]:
    """An error as a job keeps it, or another process tells it: its sentence is made again by its reader."""
    own = err.status == 500
    values: dict[str, object] = {name: _plain(value) for name, value in err.values.items()}
    return {
        "code": err.code,
        "status": err.status,
        "detail": "" if own else err.message(),
        "values": {} if own else {"detail": err.detail, **values},
    }


def again(told: Mapping[str, Any]) -> GisError:
    """The error that another process told, as it would have been raised here."""
    more = {"status": told["status"], "code": told["code"], "__doc__": "{detail}"}
    values = {name: value for name, value in told["values"].items() if name != "detail"}
    kind: type[GisError] = type("Told", (GisError,), more)
    return kind(told["detail"], **values)


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def sentence(code: str, values: dict[str, object], fallback: str, lang: str) -> str:
    """An error in the reader's language, from what a job keeps of it."""
    key = str(values.get("key") or f"problem.{code}-detail")
    try:
        return say(key, lang, **{name: value for name, value in values.items() if name != "key"})
    except KeyError:
        return fallback
