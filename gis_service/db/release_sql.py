"""Statements about releases: which a class knows, what one changed of what it sees, a feature's versions.

All but the manifest run as the class's role, to which row policies show only what it may know (0027).
"""

from __future__ import annotations

from collections.abc import Sequence

from gis_service.catalog.view import ViewedLayer
from gis_service.db import rows
from gis_service.db.feature_text import Form, feature
from gis_service.db.query import Binds, Query, ident

_KNOWN = """
    select r.release, r.opened_at, r.name, r.name_en, undone.release, later.release,
           array(select distinct c.table_name from gis.release_class c where c.release = r.release order by 1)
      from gis.release r
      left join gis.release undone on undone.release = r.undoes
      left join lateral
        (select max(u.release) as release from gis.release u where u.undoes = r.release) later on true
     where exists (select from gis.release_class c where c.release = r.release)
"""
_LOADS = """
    select d.slug, d.title, d.title_vi, l.layer, l.version{counts}
      from gis.load l join gis.dataset d using (dataset_id)
     where l.release = $1 and (d.redistribution or $2) order by l.load_id
"""
_COUNTS_OF_LOADS = ", l.checksum, l.inserted, l.superseded, l.withdrawn, l.quarantined"
_MANIFEST = """
    select table_name, inserted, changed, withdrawn, encode(checksum, 'hex')
      from gis.release_manifest where release = $1 order by table_name
"""
_DECISIONS = "select note, coalesce(made_by, opened_by) from gis.release where release = $1"
_PROPOSALS = """
    select p.proposal_id, p.title, p.layer, p.author, o.code,
           count(*) filter (where c.decision is distinct from 'rejected'),
           count(*) filter (where c.decision = 'rejected')
      from gis.proposal p
      join gis.proposed_change c using (proposal_id)
      left join gis.organisation o using (organisation_id)
     where p.release = $1 group by p.proposal_id, o.code order by p.proposal_id
"""
_VERDICTS = """
    select c.proposal_id, v ->> 'level', v ->> 'rule', count(*)
      from gis.proposal p
      join gis.proposed_change c using (proposal_id)
      cross join lateral jsonb_array_elements(c.verdict) v
     where p.release = $1 group by 1, 2, 3 order by 1, 2, 3
"""


def latest(role: str) -> Query:
    """One row with the newest release that the class may know of, 0 before the first."""
    return Query("select coalesce(max(release), 0) from gis.release", (), role)


def known(role: str, before: int | None, limit: int) -> Query:
    """Rows (release, opened, name, English name, undoes, undone by, tables), the newest first."""
    sql = f"{_KNOWN} and ($1::int is null or r.release < $1) order by r.release desc limit $2"
    return Query(sql, (before, limit), role)


def one(role: str, release: int) -> Query:
    """The same of one release, or no row."""
    return Query(f"{_KNOWN} and r.release = $1", (release,), role)


def named(role: str, releases: Sequence[int]) -> Query:
    """Rows (release, opened, name, English name) of those that the class knows."""
    sql = "select release, opened_at, name, name_en from gis.release where release = any($1::int[])"
    return Query(sql, (list(releases),), role)


def loads(role: str, release: int, closed: bool) -> Query:
    """The loads that a release is of; those of closed data sets only where that's asked."""
    counts = _COUNTS_OF_LOADS if closed else ""  # no class but the full one may read them
    return Query(_LOADS.format(counts=counts), (release, closed), role)


def manifest(release: int) -> Query:
    """Rows (table, inserted, changed, withdrawn, checksum), hidden rows among them."""
    return Query(_MANIFEST, (release,))


def decisions(release: int) -> Query:
    """One row: the note, and who made the release."""
    return Query(_DECISIONS, (release,))


def proposals(release: int) -> Query:
    """Rows (number, title, layer, author, organisation, changes taken, changes left out)."""
    return Query(_PROPOSALS, (release,))


def verdicts(release: int) -> Query:
    """Rows (proposal, level, rule, how often): what the checks said."""
    return Query(_VERDICTS, (release,))


def counts(view: ViewedLayer, release: int) -> Query:
    """One row (rows that begin with it, rows that end with it, in both, different) of what the class sees.

    A row in which only something hidden changed is no different one. Whole rows are read of pairs alone.
    """
    binds = Binds()
    at = binds.add(release)
    begun = f"release_from = {at}"
    new = _seen(view, [(_table(view), begun), (_history(view), begun)], binds)
    old = _seen(view, [(_history(view), f"release_to = {at}")], binds)
    pairs = f"({new}) as n join ({old}) as o on o.key = n.key"
    sql = (
        f"select (select count(*) from ({new}) as n), (select count(*) from ({old}) as o),"
        f" (select count(*) from {pairs}), (select count(*) from {pairs} where n.seen *<> o.seen)"
    )
    return Query(sql, tuple(binds.values), view.role)


def versions(view: ViewedLayer, feature_id: str | int, limit: int) -> Query:
    """Rows (from, to, feature without geometry, hash of the geometry) of a feature, the newest first."""
    binds = Binds()
    named = ", ".join(ident(c) for c in sorted(rows.columns(view) | {"release_from"}))
    identity = f"{ident(view.id_column)} = {binds.add(feature_id)}"
    source = (
        f"(select {named}, null::int as release_to from {_table(view)} where {identity}"
        f" union all select {named}, release_to from {_history(view)} where {identity}) as t"
    )
    text = feature(view, Form(geometry=False), binds)
    shape = f"sha256(coalesce(ST_AsBinary({rows.geometry(view, binds)}), ''))"
    where = " and ".join(rows.visible(view, binds)) or "true"
    sql = (
        f"select t.release_from, t.release_to, {text}, {shape} from {source} where {where}"
        f" order by t.release_from desc limit {limit:d}"
    )
    return Query(sql, tuple(binds.values), view.role)


def _seen(view: ViewedLayer, relations: Sequence[tuple[str, str]], binds: Binds) -> str:
    """Keys with all that answers show of the rows, as one value to compare."""
    named = ", ".join(ident(c) for c in sorted(rows.columns(view)))
    source = " union all ".join(f"select {named} from {name} where {which}" for name, which in relations)
    values = [rows.column(view, name, binds) for name in view.properties]
    times = {view.time.start, view.time.end or view.time.start} if view.time else set()
    values += [f"t.{ident(c)}" for c in sorted({view.id_column, "dataset_id", *times})]
    values.append(rows.geometry(view, binds))
    where = " and ".join(rows.visible(view, binds)) or "true"
    seen = f"t.{ident(view.key)} as key, row({', '.join(values)}) as seen"
    return f"select {seen} from ({source}) as t where {where}"


def _table(view: ViewedLayer) -> str:
    return ident(view.layer.schema_name, view.layer.table_name)


def _history(view: ViewedLayer) -> str:
    return ident(view.layer.schema_name + "_history", view.layer.table_name)
