"""Proposals and their changes as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gis_service import links as media
from gis_service.catalog.layer import Layer
from gis_service.changes.reading import Shown, Told
from gis_service.changes.store import Manifest
from gis_service.changes.values import Proposal
from gis_service.links import Links
from gis_service.texts import say

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from gis_service.changes.sketch import Sketch

Document = Mapping[str, Any]
DECIMALS = 7  # of degrees: a centimetre


def head(proposal: Proposal, layers: Mapping[str, Layer], links: Links, lang: str) -> Document:
    """What lists tell of a proposal."""
    return {
        "number": proposal.number,
        "title": proposal.title,
        "layer": proposal.layer,
        "layerTitle": layers[proposal.layer].title.say(lang),
        "author": proposal.author,
        "organisation": proposal.organisation,
        "state": proposal.state,
        "stateTitle": say(f"change.state.{proposal.state}", lang),
        "changes": proposal.changes,
        "revision": proposal.revision,
        "release": proposal.release,
        "created": _time(proposal.created),
        "changed": _time(proposal.changed),
        "links": [_link(links.proposal(proposal.number), "item", proposal.title)],
    }


def listing(heads: Sequence[Document], here: str, following: str | None, lang: str) -> Document:
    made = [_link(here, "self", say("proposals.title", lang))]
    if following is not None:
        made.append(_link(following, "next", say("proposals.older", lang)))
    return {"proposals": heads, "links": made}


def one(told: Told, layers: Mapping[str, Layer], links: Links, lang: str) -> Document:
    """A proposal with its way so far, what the reader may do, and how many findings there are."""
    proposal, number = told.proposal, told.proposal.number
    return {
        **head(proposal, layers, links, lang),
        "note": proposal.note,
        "baseRelease": proposal.base_release,
        "places": told.codes,
        "next": told.next,
        "may": told.may,
        "findings": {
            level: {"findings": found, "changes": rows} for level, (found, rows) in told.findings.items()
        },
        "events": [
            {
                "at": _time(each.at),
                "who": each.who,
                "role": each.role,
                "action": each.action,
                "from": each.before,
                "to": each.after,
                "comment": each.comment,
            }
            for each in told.events
        ],
        "links": [
            _link(links.proposal(number), "self", proposal.title),
            _link(
                links.proposal(number) + "/changes", "items", say("proposals.changes", lang), media.GEOJSON
            ),
            _link(links.collection(proposal.layer), "collection", layers[proposal.layer].title.say(lang)),
        ],
    }


def changes(
    drawn: Iterable[tuple[Shown, Sketch | None]], layer: Layer, here: str, following: str | None, lang: str
) -> Document:
    """Changes as features: the geometry is the new one, or that which goes; the old one stands beside it."""
    made = [_link(here, "self", say("proposals.changes", lang), media.GEOJSON)]
    if following is not None:
        made.append(_link(following, "next", say("proposals.more-changes", lang), media.GEOJSON))
    features = [_feature(shown, sketch, layer, lang) for shown, sketch in drawn]
    return {"type": "FeatureCollection", "features": features, "links": made}


def _feature(shown: Shown, sketch: Sketch | None, layer: Layer, lang: str) -> Document:
    properties: dict[str, Any] = {
        "number": shown.number,
        "operation": shown.operation,
        "feature": shown.id,
        "decision": shown.decision,
        "reason": shown.reason,
        "seen": shown.sees,
        "differences": [
            {
                "property": cell.property,
                "title": layer.properties[cell.property].title.say(lang),
                "before": cell.before,
                "after": cell.after,
            }
            for cell in shown.cells
        ],
        "findings": [
            {"rule": each.rule, "level": each.level, "column": each.column, "text": each.say(lang)}
            for each in shown.findings
        ],
    }
    if sketch is not None:
        properties["hectaresBefore"] = sketch.hectares_before
        properties["hectaresAfter"] = sketch.hectares_after
        properties["hectaresAdded"] = sketch.hectares_added
        properties["hectaresRemoved"] = sketch.hectares_removed
    shape = None if sketch is None else (sketch.after or sketch.before)
    made = {"type": "Feature", "id": shown.number, "geometry": geometry(shape), "properties": properties}
    if sketch is not None and sketch.before is not None and sketch.after is not None:
        made["before"] = geometry(sketch.before)
    return made


def geometry(shape: BaseGeometry | None) -> Document | None:
    """GeoJSON of a shape; coordinates to a centimetre."""
    if shape is None or shape.is_empty:
        return None
    import shapely  # noqa: PLC0415  # 30 MB that a web worker spends when somebody reviews

    rounded = shapely.transform(shape, lambda coordinates: coordinates.round(DECIMALS))
    made: Document = shapely.geometry.mapping(rounded)
    return made


def manifest(made: Manifest, dry: bool) -> Document:
    """What a release did, or would do."""
    return {
        "release": made.release,
        "dryRun": dry,
        "tables": [
            {
                "table": each.table,
                "inserted": each.inserted,
                "changed": each.changed,
                "withdrawn": each.withdrawn,
                "sha256": each.checksum,
            }
            for each in made.tables
        ],
        "published": made.published,
        "refused": [
            {"proposal": each.proposal, "reason": each.reason, "gids": each.gids} for each in made.refused
        ],
    }


def _time(at: object) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(at, datetime) else None


def _link(href: str, rel: str, title: str, kind: str = media.JSON) -> Document:
    return {"href": href, "rel": rel, "type": kind, "title": title}
