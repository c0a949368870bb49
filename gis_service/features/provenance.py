"""Where data come from and under which licence, as it travels in every export."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from gis_service.catalog.view import ViewedLayer
from gis_service.features import documents
from gis_service.features.documents import Stats
from gis_service.links import Links

_CREATIVE_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-SA|-ND)?)-([0-9]\.[0-9])", re.IGNORECASE)
_LICENCES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "ODC-By-1.0": "https://opendatacommons.org/licenses/by/1-0/",
    "PDDL-1.0": "https://opendatacommons.org/licenses/pddl/1-0/",
}
_TOLD = ("title", "description", "attribution", "license", "datasets")
_ADDRESS = ":/?#[]@!$&'()*+,;=%"  # what may stand in a URL as it is


def provenance(view: ViewedLayer, stats: Stats | None, links: Links, lang: str) -> dict[str, object]:
    """Title, description, credit, licence and datasets of a layer, its address, and the time of retrieval."""
    told = documents.collection(view, stats, links, lang)
    made = {name: told[name] for name in _TOLD if name in told}
    if "license" not in made and view.layer.source.licence is not None and not made.get("datasets"):
        made["license"] = view.layer.source.licence
    if view.release is not None:
        made["release"] = view.release
    return {**made, "collection": links.collection(view.id), "retrieved": now()}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def header(view: ViewedLayer, stats: Stats | None) -> tuple[tuple[str, str], ...]:
    """`Link` headers to the one licence of the data, and to the one dataset that they come from."""
    datasets = () if stats is None else stats.datasets
    licences: set[str | None] = {each.licence for each in datasets} or {view.layer.source.licence}
    sources = {each.source_url for each in datasets} or {view.layer.source.url}
    found = {
        "license": licence_address(licences.pop()) if len(licences) == 1 else None,
        "cite-as": sources.pop() if len(sources) == 1 else None,
    }
    return tuple(
        ("link", f'<{quote(address, safe=_ADDRESS)}>; rel="{rel}"')
        for rel, address in found.items()
        if address and address.startswith(("http://", "https://"))
    )


def licence_address(name: str | None) -> str | None:
    """The page of a licence by its SPDX name; None where we know of none."""
    if name is None:
        return None
    found = _CREATIVE_COMMONS.fullmatch(name)
    if found is not None:
        return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/"
    return _LICENCES.get(name)
