"""What the forms of the admin pages send, as values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from gis_service.access.administration import MODEST_TIERS
from gis_service.access.groups import Group
from gis_service.access.organisations import TIERS, Organisation
from gis_service.access.principal import ROLES, SCOPES, Role, Scope
from gis_service.access.staff import LONGEST_INVITATION_DAYS, Granted
from gis_service.catalog.layer import OrganisationTier
from gis_service.features.refusal import refuse
from gis_service.texts import say
from gis_service.web import forms
from gis_service.web.forms import Fields

INVITED_DAYS = 14
LONGEST = 300  # characters of a name or a code
_LIST = re.compile(r"[\s,;]+")
_MOST = 500  # provinces, areas or taxa of one form


def text(fields: Fields, name: str, lang: str) -> str:
    """A field that must be there."""
    if not (given := optional(fields, name)):
        raise forms.missing(name, say(f"admin.field.{name}", lang))
    return given


def optional(fields: Fields, name: str) -> str | None:
    given = fields.text(name)
    if len(given) > LONGEST:
        raise refuse("admin.too-long", name=name, maximum=LONGEST)
    return given or None


def several(fields: Fields, name: str) -> tuple[str, ...]:
    """Words from however many fields of the name, with commas or blanks between them."""
    found = [word for each in fields.all(name) for word in _LIST.split(each) if word]
    if len(found) > _MOST:
        raise refuse("admin.too-many", name=name, maximum=_MOST)
    return tuple(dict.fromkeys(found))


def organisation(fields: Fields, lang: str) -> Organisation:
    """A new organisation."""
    return Organisation(
        text(fields, "code", lang),
        text(fields, "name", lang),
        optional(fields, "name_en"),
        _tier(fields),
        optional(fields, "parent"),
        several(fields, "jurisdiction"),
        areas=several(fields, "area"),
        buffer_m=metres(fields),
    )


def _tier(fields: Fields) -> OrganisationTier:
    given = fields.text("tier") or MODEST_TIERS[0]
    for each in TIERS:
        if given == each:
            return each
    raise refuse("admin.unknown-value", name="tier", value=given[:40], known=", ".join(TIERS))


def metres(fields: Fields) -> float:
    given = fields.text("buffer") or "0"
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", given, re.ASCII):
        raise refuse("admin.bad-number", name="buffer", value=given[:40])
    return float(given)


def role(fields: Fields, lang: str) -> Granted:
    """A role in an organisation, with a steward's group and its end."""
    return Granted(
        text(fields, "organisation", lang),
        _role(fields, lang),
        optional(fields, "group"),
        day(fields, "until"),
    )


def _role(fields: Fields, lang: str) -> Role:
    given = text(fields, "role", lang)
    for each in ROLES:
        if given == each:
            return each
    raise refuse("admin.unknown-value", name="role", value=given[:40], known=", ".join(ROLES))


def day(fields: Fields, name: str) -> datetime | None:
    """The beginning of a day, in UTC: as of `./gis user grant --until`, the first without the right."""
    given = fields.text(name)
    if not given:
        return None
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as err:
        raise refuse("admin.bad-day", name=name, value=given[:40]) from err


def expiry(fields: Fields) -> datetime:
    """When an invitation ends."""
    given = fields.text("days") or str(INVITED_DAYS)
    if not re.fullmatch(r"\d{1,3}", given, re.ASCII) or not 1 <= int(given) <= LONGEST_INVITATION_DAYS:
        raise refuse("admin.bad-days", value=given[:40], maximum=LONGEST_INVITATION_DAYS)
    return datetime.now(UTC) + timedelta(days=int(given))


def number(fields: Fields, name: str) -> int:
    given = fields.text(name)
    if not re.fullmatch(r"\d{1,9}", given, re.ASCII):
        raise refuse("admin.bad-number", name=name, value=given[:40])
    return int(given)


def scopes(fields: Fields) -> tuple[Scope, ...]:
    given = fields.all("scope")
    if unknown := next((each for each in given if each not in SCOPES), None):
        raise refuse("admin.unknown-value", name="scope", value=unknown[:40], known=", ".join(SCOPES))
    return tuple(each for each in SCOPES if each in given)


def group(fields: Fields, code: str, lang: str) -> Group:
    return Group(code, text(fields, "name", lang), optional(fields, "name_en"), several(fields, "taxon"))


def choice(fields: Fields, *known: str) -> str:
    """Which of a page's forms was sent."""
    given = fields.text("action")
    if given not in known:
        raise refuse("admin.unknown-value", name="action", value=given[:40], known=", ".join(known))
    return given
