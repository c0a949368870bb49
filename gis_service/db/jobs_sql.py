"""Statements over jobs: submit, look up, work on, dismiss. All run as the owner of the schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gis_service.db.query import Query

# The columns of a job as read, in this order.
COLUMNS = (
    "job_id", "process_id", "owner", "policy_class", "tier", "jurisdictions", "lang", "inputs", "response",
    "format", "callbacks", "base_url", "status", "progress", "step", "error", "attempts", "created",
    "started", "updated", "finished",
)  # fmt: skip
# Inputs may hold a large polygon, which only the worker needs.
_LIGHT = ", ".join("null::jsonb" if name == "inputs" else name for name in COLUMNS)
_WHOLE = ", ".join(COLUMNS)
_SUBMIT = (
    "select gis_queue.submit($1, $2, $3, $4, $5::text[], $6, $7::jsonb, $8, $9, $10::jsonb, $11,"
    " $12::int)::text"
)


def submit(
    process: str,
    caller: tuple[str, str, str, Sequence[str]],
    asked: Mapping[str, Any],
    lang: str,
    base_url: str,
    most: int,
) -> Query:
    """One row with the job's id, null where the caller (owner, class, tier, codes) has too many already."""
    owner, policy_class, tier, codes = caller
    callbacks = asked.get("callbacks")
    params = (
        process, owner, policy_class, tier, list(codes), lang, orjson.dumps(asked["inputs"]).decode(),
        asked["response"], asked["format"], json.dumps(callbacks) if callbacks else None, base_url, most,
    )  # fmt: skip
    return Query(_SUBMIT, params)


def job(job_id: str) -> Query:
    """One row of COLUMNS without the inputs, or none."""
    return Query(f"select {_LIGHT} from gis_queue.job where job_id = $1::uuid", (job_id,))


def jobs(owner: str, policy_class: str, limit: int, offset: int) -> Query:
    """Rows of COLUMNS without the inputs, the newest first."""
    text = (
        f"select {_LIGHT} from gis_queue.job where owner = $1 and policy_class = $2"
        " order by created desc, job_id limit $3 offset $4"
    )
    return Query(text, (owner, policy_class, limit, offset))


def count(owner: str, policy_class: str) -> Query:
    """One row with how many jobs `jobs` has in all."""
    return Query(
        "select count(*) from gis_queue.job where owner = $1 and policy_class = $2", (owner, policy_class)
    )


def status(job_id: str) -> Query:
    """One row with the status alone, for whoever waits."""
    return Query("select status from gis_queue.job where job_id = $1::uuid", (job_id,))


def document(job_id: str, name: str) -> Query:
    """One row (media type, gzip body) of a document of a successful job, or none."""
    text = "select media_type, body from gis_queue.job_document where job_id = $1::uuid and name = $2"
    return Query(text, (job_id, name))


def dismiss(job_id: str) -> Query:
    """One row: whether there was anything to dismiss."""
    return Query("select gis_queue.dismiss($1::uuid)", (job_id,))


def begin(job_id: str) -> Query:
    """The whole row of COLUMNS, now running; none where it was dismissed or has ended."""
    text = (
        "update gis_queue.job set status = 'running', started = coalesce(started, now()), updated = now(),"
        " attempts = attempts + 1, progress = 0 where job_id = $1::uuid and status in ('accepted', 'running')"
        f" returning {_WHOLE}"
    )
    return Query(text, (job_id,))


def progress(job_id: str, percent: int, step: str) -> Query:
    """A row while the job still runs, none once it was dismissed."""
    text = (
        "update gis_queue.job set progress = $2::int, step = $3, updated = now()"
        " where job_id = $1::uuid and status = 'running' returning 1"
    )
    return Query(text, (job_id, percent, step))


def put_back(job_id: str) -> Query:
    """The job waits again, as if this attempt had not been."""
    text = (
        "update gis_queue.job set status = 'accepted', attempts = attempts - 1, progress = 0, step = null,"
        " updated = now() where job_id = $1::uuid and status = 'running' returning 1"
    )
    return Query(text, (job_id,))


def finish(job_id: str, names: Sequence[str], types: Sequence[str], bodies: Sequence[bytes]) -> Query:
    """One row: whether the documents were stored."""
    text = "select gis_queue.finish($1::uuid, $2::text[], $3::text[], $4::bytea[])"
    return Query(text, (job_id, list(names), list(types), list(bodies)))


def fail(job_id: str, error: Mapping[str, Any]) -> Query:
    """A row where the job was running and has now failed for that reason."""
    text = (
        "update gis_queue.job set status = 'failed', error = $2::jsonb, finished = now(), updated = now(),"
        " step = null where job_id = $1::uuid and status in ('accepted', 'running') returning 1"
    )
    return Query(text, (job_id, json.dumps(error)))


def forget(days: int) -> Query:
    """One row with how many jobs were forgotten."""
    return Query("select gis_queue.forget($1::int)", (days,))
