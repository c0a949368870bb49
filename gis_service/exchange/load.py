"""Load a file into a layer: read, map, clean, stage, judge, merge; all of it or nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

import pyproj
import shapely

from gis_service import texts
from gis_service.db.audit import Actor
from gis_service.db.loading import Column, LoadSession, StagedFault, Table
from gis_service.exchange import cleaning, datasets, mapping, planning, projecting, values
from gis_service.exchange.readers import open_source
from gis_service.exchange.reasons import Reason, reason, refused
from gis_service.exchange.request import (
    Counts,
    LoadRequest,
    LoadResult,
    Progress,
    Quarantined,
    Repaired,
    silent,
)
from gis_service.exchange.source import Batch, Source
from gis_service.observe import Log

# Raised when cleaning or mapping changes its results, so that a file seen before is loaded anew.
METHOD: Final = 1
HOPELESS: Final = 10_000  # where none of so many rows is good, the rest isn't read

log = Log("gis.load")


@dataclass
class _Load:
    """One load on its way: what is fixed, and what the rows have shown so far."""

    request: LoadRequest
    source: Source
    crs: pyproj.CRS
    table: Table
    fields: mapping.FieldMap
    progress: Progress
    read: int = 0
    bad: list[Quarantined] = field(default_factory=list)
    held_geometry: dict[int, bytes | None] = field(default_factory=dict)
    repaired: list[Repaired] = field(default_factory=list)
    operation: projecting.Operation | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[Column]:
        """The table's columns that the file fills, in the order of the pairs."""
        by_name = {column.name: column for column in self.table.columns}
        return [by_name[target.name] for target in self.fields.columns]

    def say(self, key: str, **said: object) -> str:
        return texts.say(f"load.{key}", self.request.lang, **said)


def load(request: LoadRequest, dsn: str, progress: Progress = silent) -> LoadResult:
    """Merge the file's rows into its data set and say what became of each.

    DataRefused where the file as a whole can't be used; after that or any other failure nothing has changed.
    """
    datasets.check(request)
    source, crs = open_source(request)
    with LoadSession(dsn) as session:
        session.act(Actor(request.loaded_by, "operator", "cli"))
        session.lock(request.dataset.slug)
        checksum, parameters = source.checksum, _parameters(request)
        last = session.last_load(request.dataset.slug, request.layer.id)
        if last and (last.checksum, last.parameters) == (checksum, parameters):
            return LoadResult(
                request.dataset.slug,
                request.layer.id,
                Counts(),
                load_id=last.load_id,
                checksum=checksum,
                seen_before=True,
            )
        table, fields = planning.plan(session, request, source)
        work = _Load(request, source, crs, table, fields, progress, notes=list(source.notes))
        session.stage(work.columns)
        session.copy(work.columns, _rows(work))
        _judge(session, work)
        result = _merge(session, work, parameters)
        if not request.dry_run:
            session.commit()
        log.info("load", layer=request.layer.id, dataset=result.dataset, **asdict(result.counts))
        return result


def _parameters(request: LoadRequest) -> str:
    """A digest of all that decides what a file's rows become."""
    said = {
        "method": METHOD,
        "crs": request.crs,
        "maps": dict(request.maps),
        "id": request.id_field,
        "file_layer": request.file_layer,
        "encoding": request.encoding,
        "points_from_polygons": request.points_from_polygons,
        "partial": request.partial,
        "dataset": asdict(request.dataset),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _rows(work: _Load) -> Iterator[Sequence[object]]:
    """The rows to stage; those that can't be are set aside."""
    srid = projecting.srid_of(work.crs)
    documents = [at for at, column in enumerate(work.columns) if column.kind == "jsonb"]
    for batch in work.source.batches():
        rows = mapping.apply(work.fields, batch)
        cleaned = cleaning.clean(batch.wkb, _aim(work, batch))
        faults = [one or other for one, other in zip(cleaned.faults, rows.faults, strict=True)]
        _note(work, batch, rows, cleaned, faults)
        geometry = shapely.to_wkb(cleaned.geometries, byte_order=1)
        columns = list(rows.columns.values())
        for at, fault in enumerate(faults):
            if fault is None:
                kept = (
                    (batch.wkb[at], srid, _operation_name(work))
                    if cleaned.changed[at]
                    else (None, None, None)
                )
                row = [column[at] for column in columns]
                for place in documents:
                    row[place] = _document(row[place])
                yield (batch.first + at, rows.ids[at], geometry[at], *kept, _document(rows.extra[at]), *row)
        work.read += len(faults)
        if work.read >= HOPELESS and len(work.bad) == work.read:
            _refuse_bad_file(work)
        work.progress("read", work.read, work.source.rows)


def _document(text: object) -> bytes | None:
    """JSON in PostgreSQL's binary form: a version byte before the text."""
    return None if text is None else b"\x01" + str(text).encode()


def _operation_name(work: _Load) -> str | None:
    return work.operation.name if work.operation else None


def _aim(work: _Load, batch: Batch) -> cleaning.Aim:
    """What to do with the geometry; the operation is chosen once, where the first rows lie."""
    if work.operation is None and not projecting.is_wgs84(work.crs):
        work.operation = planning.operation(work.request, work.source.name, work.crs, batch.wkb)
        if work.operation.guessed:
            work.notes.append(work.say("note.guessed_datum", crs=projecting.label(work.crs)))
    points = work.request.layer.geometry.type == "Point"
    return cleaning.Aim(points, work.operation, work.request.points_from_polygons)


def _note(
    work: _Load, batch: Batch, rows: mapping.Rows, cleaned: cleaning.Cleaned, faults: list[Reason | None]
) -> None:
    """Keep what the batch has shown: rows set aside, geometries repaired."""
    for at, fault in enumerate(faults):
        if fault is not None:
            work.bad.append(Quarantined(batch.first + at, rows.ids[at], fault, batch.row(at)))
            work.held_geometry[batch.first + at] = batch.wkb[at] or None
    for repair in cleaned.repairs:
        if faults[repair.row] is None:
            placed = replace(repair, row=batch.first + repair.row)
            work.repaired.append(Repaired(str(rows.ids[repair.row]), placed))


def _judge(session: LoadSession, work: _Load) -> None:
    """Set aside what the table's own rules refuse, and the whole file where too little is left."""
    sources = {pair.target.name: pair.source for pair in work.fields.pairs}
    for fault in session.faults(work.table, work.columns):
        attributes = {sources.get(name, name): value for name, value in fault.attributes.items()}
        work.bad.append(Quarantined(fault.row, fault.source_id, _reason(fault), attributes))
        work.held_geometry[fault.row] = fault.geom
    for lost in work.source.lost:
        work.bad.append(Quarantined(lost.row, None, lost.reason, lost.attributes))
    work.read += len(work.source.lost)
    faulty = {each.row for each in work.bad}
    work.repaired = [each for each in work.repaired if each.repair.row not in faulty]
    work.bad.sort(key=lambda each: each.row)
    _refuse_bad_file(work)


def _reason(fault: StagedFault) -> Reason:
    facts = dict(fault.facts)
    if isinstance(shown := facts.get("values"), dict):
        facts["values"] = ", ".join(f"{name} = {value!r}" for name, value in shown.items()) or "geom"
    return reason(fault.code, **facts)


def _refuse_bad_file(work: _Load) -> None:
    name, lang, bad = work.source.name, work.request.lang, len(work.bad)
    if not work.read:
        raise refused("empty", lang, name=name)
    if not bad:
        return
    kinds = Counter(each.reason.code for each in work.bad)
    worst = next(each for each in work.bad if each.reason.code == kinds.most_common(1)[0][0]).reason.say(lang)
    if bad >= work.read:
        raise refused("none_good", lang, read=work.read, name=name, reason=worst)
    if bad > work.request.max_bad_share * work.read:
        share = work.request.max_bad_share
        raise refused("too_many_bad", lang, bad=bad, read=work.read, name=name, share=share, reason=worst)


def _merge(session: LoadSession, work: _Load, parameters: str) -> LoadResult:
    """Insert, supersede and withdraw within the data set, and write down that it was done."""
    request, table, columns = work.request, work.table, work.columns
    work.progress("merge", 0, None)
    dataset_id, said = datasets.save(session, request, work.source.name)
    work.notes += said
    session.hold(each.source_id for each in work.bad if each.source_id)
    if stranger := session.claim(table, request.dataset.slug):
        raise refused("other_layer", request.lang, id=stranger, slug=request.dataset.slug)
    new, changed, same = session.compare(table, columns)
    withdrawn = 0 if request.partial else session.absent(table, dataset_id)
    counts = Counts(work.read, new, changed, same, withdrawn, len(work.bad), len(work.repaired))
    release = session.open_release(f"{request.dataset.slug}: {work.source.name}")
    if withdrawn:
        session.withdraw(table, dataset_id)
    if changed:
        session.supersede(table, columns)
    if new:
        session.insert(table, columns, dataset_id)
    load_id = _record(session, work, dataset_id, release, counts, parameters)
    work.progress("commit", work.read, work.read)
    written = None if request.dry_run else release
    return LoadResult(
        request.dataset.slug,
        work.request.layer.id,
        counts,
        tuple(work.bad),
        tuple(work.repaired),
        written,
        None if request.dry_run else load_id,
        work.source.checksum,
        work.fields.schema,
        _operation_name(work),
        (*work.notes, *_remarks(work)),
    )


def _record(
    session: LoadSession, work: _Load, dataset_id: int, release: int, counts: Counts, parameters: str
) -> int:
    """Write the load's own row, and beside it the rows that were set aside."""
    named = asdict(counts)
    named.pop("read")
    load_id = session.record(
        {
            "dataset_id": dataset_id,
            "layer": work.request.layer.id,
            "version": datasets.version(work.request),
            "checksum": work.source.checksum,
            "file_name": work.source.name,
            "release": release,
            "loaded_by": work.request.loaded_by,
            "details": _details(work, parameters),
            **named,
        }
    )
    session.quarantine(
        {
            "load_id": load_id,
            "dataset_id": dataset_id,
            "layer": work.request.layer.id,
            "row": each.row,
            "source_id": each.source_id,
            "code": each.reason.code,
            "reason": each.reason.say("en"),
            "attributes": values.json(dict(each.attributes)).replace("\\u0000", ""),
            "geom": work.held_geometry.get(each.row),
        }
        for each in work.bad
    )
    return load_id


def _details(work: _Load, parameters: str) -> dict[str, object]:
    """What a reader of the load's row may want to know, and what tells a repeated load."""
    return {
        "parameters": parameters,
        "schema": work.fields.schema,
        "fields": {pair.source: pair.target.name for pair in work.fields.pairs},
        "crs": projecting.label(work.crs),
        "operation": _operation_name(work),
        "repairs": [
            {
                "source_id": each.source_id,
                "row": each.repair.row,
                "fault": each.repair.fault,
                "before_m2": each.repair.before_m2,
                "after_m2": each.repair.after_m2,
            }
            for each in work.repaired
        ],
    }


def _remarks(work: _Load) -> Iterator[str]:
    if not work.fields.id_fields:
        yield work.say("note.no_id")
    if work.fields.leftover:
        yield work.say("note.leftover", fields=", ".join(work.fields.leftover))
