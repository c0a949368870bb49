"""Why somebody sees what they see of a layer, and of one feature: the view's own parts, put in order.

Nothing is decided here. The view comes from access.policy, what holds of a row from the pieces of SQL that
every statement is made of; and the row is asked for as the class's role, to see that both walls agree.
For an operator on the command line: no route answers with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from gis_service.access import keystore
from gis_service.access.policy import view
from gis_service.access.principal import PUBLIC, Principal
from gis_service.catalog.layer import Layer
from gis_service.catalog.view import Sight, ViewedLayer
from gis_service.db import explain_sql
from gis_service.db.explain_sql import Position, RowRules
from gis_service.db.sync import SyncDatabase
from gis_service.errors import NotFound

_LARGEST = 2**63 - 1
_CLASS = "jurisdiction:"
Reason = Literal[
    "absent", "closed-layer", "other-layer", "all", "own", "open", "licence", "category", "not-own",
    "no-public",
]  # fmt: skip


@dataclass(frozen=True)
class Who:
    name: str
    tier: str
    jurisdictions: tuple[str, ...]
    policy_class: str
    organisation: str | None


@dataclass(frozen=True)
class Columns:
    """Properties by what the class reads of them: `replaced` and `masked` in rows that aren't its own."""

    shown: tuple[str, ...]
    replaced: Mapping[str, str]  # by the column that stands in
    masked: tuple[str, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """What the class sees of the layer."""

    role: str
    role_exists: bool
    columns: Columns
    sight: Sight
    own: tuple[str, ...]  # codes
    withheld: tuple[int, ...]  # categories
    licence_closes: bool
    geometry: str  # the column behind the position
    coarse: bool  # whether that is another one than the layer's own
    exact: str | None  # that of own rows, where it is another


@dataclass(frozen=True)
class Feature:
    """What the class gets of one feature, and by which rules."""

    id: str
    visible: bool
    reasons: tuple[Reason, ...]
    position: Position | None = None
    own: bool = False
    category: int | None = None
    jurisdictions: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    walls_agree: bool = True


@dataclass(frozen=True)
class Explanation:
    """`seen` is None where the layer doesn't exist for the class."""

    who: Who
    layer: str
    seen: Seen | None
    feature: Feature | None = None

    def document(self) -> dict[str, object]:
        """The explanation as JSON has it."""
        return asdict(self)


def who(database: SyncDatabase, text: str) -> Principal:
    """`public`, `full`, `jurisdiction:CODE,CODE`, or a principal's name; NotFound where there is none."""
    if text == PUBLIC.name:
        return PUBLIC
    if text == "full":
        return Principal(text, "full")
    codes = tuple(code for code in text.removeprefix(_CLASS).split(",") if code)
    if text.startswith(_CLASS) and codes:
        return Principal(text, "jurisdiction", codes)
    return keystore.principal_named(database, text)


def explain(
    database: SyncDatabase, principal: Principal, layer: Layer, feature: str | None = None
) -> Explanation:
    """Why the principal sees of the layer, and of the feature where one is named, what it sees."""
    try:
        viewed: ViewedLayer | None = view(principal, layer)
    except NotFound:
        viewed = None
    return Explanation(
        Who(
            principal.name,
            principal.tier,
            tuple(sorted(principal.jurisdictions)),
            principal.policy_class,
            principal.organisation,
        ),
        layer.id,
        None if viewed is None else _seen(viewed, explain_sql.has_role(database, viewed)),
        None if feature is None else _feature(database, viewed, feature),
    )


def _seen(viewed: ViewedLayer, role_exists: bool) -> Seen:
    return Seen(
        role=viewed.role,
        role_exists=role_exists,
        columns=_columns(viewed),
        sight=viewed.sight,
        own=viewed.scope,
        withheld=viewed.withhold,
        licence_closes=viewed.sight != "all" and viewed.layer.managed,
        geometry=viewed.geometry,
        coarse=viewed.geometry != viewed.layer.geometry.column,
        exact=viewed.exact,
    )


def _columns(viewed: ViewedLayer) -> Columns:
    layer = viewed.layer
    read = {name: viewed.column_of(name) for name in viewed.properties}
    replaced = {name: column for name, column in read.items() if column != layer.column_of(name)}
    replaced |= viewed.replaced
    special = viewed.masked | replaced.keys()
    return Columns(
        shown=tuple(name for name in viewed.properties if name not in special),
        replaced=replaced,
        masked=tuple(name for name in viewed.properties if name in viewed.masked),
        hidden=tuple(name for name in layer.properties if name not in viewed.properties),
    )


def _feature(database: SyncDatabase, viewed: ViewedLayer | None, text: str) -> Feature:
    if viewed is None:
        return Feature(text, visible=False, reasons=("closed-layer",))
    if not explain_sql.has_role(database, viewed):
        raise NotFound(f"role {viewed.role}")
    found = explain_sql.rules(database, viewed, _id(viewed, text))
    if found is None:
        return Feature(text, visible=False, reasons=("absent",))
    return Feature(
        text,
        visible=found.visible,
        reasons=_reasons(viewed, found),
        position=found.position if found.visible else None,
        own=found.mine,
        category=found.category,
        jurisdictions=found.jurisdictions,
        altered=found.altered if found.visible else (),
        walls_agree=found.visible == found.given,
    )


def _id(viewed: ViewedLayer, text: str) -> str | int:
    """The id as its column holds it; NotFound where no such id can be."""
    if viewed.layer.id_type == "text":
        return text
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST):
        raise NotFound(f"feature {text!r}")
    return int(text)


def _reasons(viewed: ViewedLayer, found: RowRules) -> tuple[Reason, ...]:
    """The rule that opens the row, or all that keep it closed."""
    if not found.of_layer:
        return ("other-layer",)
    if viewed.sight == "all":
        return ("all",)
    if found.mine:
        return ("own",)
    if found.visible:
        return ("open",)
    stranger: tuple[Reason, ...] = ("not-own",) if viewed.scope else ()
    if viewed.sight == "own":
        return (*stranger, "no-public")
    closed: tuple[Reason, ...] = ("licence", "category")
    return (*stranger, *(name for name in closed if not found.tests.get(name, True)))
