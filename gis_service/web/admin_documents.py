"""What administrators see, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gis_service import links as media
from gis_service.access.accounts import Membership
from gis_service.access.administration import MODEST_TIERS, Administrator
from gis_service.access.groups import Group
from gis_service.access.invitations import Invitation
from gis_service.access.keystore import ListedKey
from gis_service.access.organisations import TIERS, Organisation, tree
from gis_service.access.principal import ROLES
from gis_service.access.staff import Counts, Listed, Person
from gis_service.links import link
from gis_service.web.message import Request

Document = dict[str, Any]  # a JSON document of our own


@dataclass(frozen=True)
class Places:
    """Who administers, and where roles may be given: the organisations and groups within reach."""

    who: Administrator
    organisations: Sequence[Organisation]
    groups: Sequence[Group]

    @property
    def roles(self) -> list[str]:
        return [each for each in ROLES if each != "steward" or self.groups]


def overview(request: Request, who: Administrator, organisations: int, counts: Counts) -> Document:
    links = request.links
    below = [links.admin_organisations(), links.admin_people(), links.admin_invitations()]
    return {
        "central": who.central,
        "organisations": organisations,
        "accounts": counts.accounts,
        "locked": counts.locked,
        "endingWithin30Days": counts.ending,
        "openInvitations": counts.invitations,
        "links": [
            *_links(links.admin()),
            *(link(each, "item", media.JSON) for each in below),
            *([link(links.admin_groups(), "item", media.JSON)] if who.central else []),
        ],
    }


def organisations(request: Request, who: Administrator, found: Sequence[Organisation]) -> Document:
    """The tree, flat: each right below what it belongs to, with its depth."""
    return {
        "central": who.central,
        "tiers": _tiers(who),
        "organisations": [{**_organisation(request, each), "depth": depth} for depth, each in _tree(found)],
        "links": _links(request.links.admin_organisations()),
    }


def _tree(found: Sequence[Organisation]) -> list[tuple[int, Organisation]]:
    """Organisations whose parent is out of reach are roots here."""
    known = {each.code for each in found}
    below = {each.code: each for each in found}
    cut = [each if each.parent in known else _root(each) for each in found]
    return [(depth, below[each.code]) for depth, each in tree(cut)]


def _root(one: Organisation) -> Organisation:
    return Organisation(one.code, one.name, one.name_en, one.tier)


def _tiers(who: Administrator) -> list[str]:
    """The tiers of organisations that it may make."""
    return list(TIERS if who.central else MODEST_TIERS)


def _organisation(request: Request, each: Organisation) -> Document:
    return {
        "code": each.code,
        "name": each.name,
        "nameEn": each.name_en,
        "title": each.called(request.lang),
        "tier": each.tier,
        "parent": each.parent,
        "jurisdictions": list(each.jurisdictions),
        "areas": list(each.areas),
        "bufferMetres": each.buffer_m,
        "accounts": each.members,
        "href": request.links.admin_organisation(each.code),
    }


def organisation(
    request: Request,
    who: Administrator,
    held: Organisation,
    all_of_them: Sequence[Organisation],
    strange: Sequence[str],
) -> Document:
    """One, with those that it could be moved below; codes of provinces that aren't there yet are named."""
    near = {each.code for each in all_of_them}
    return {
        **_organisation(request, held),
        "unknownJurisdictions": list(strange),
        "maySetSight": who.central and held.tier in ("province", "site"),
        "parents": [
            {"code": each.code, "title": each.called(request.lang)}
            for each in all_of_them
            if each.code != held.code and (who.central or held.parent in near)
        ],
        "people": request.links.admin_people({"organisation": held.code}),
        "links": _links(request.links.admin_organisation(held.code)),
    }


def people(
    request: Request, found: Sequence[Listed], places: Places, more: Mapping[str, str] | None
) -> Document:
    links = request.links
    following = [link(links.admin_people(more), "next", media.JSON)] if more else []
    return {
        "people": [
            {
                "name": each.name,
                "kind": each.kind,
                "displayName": each.display_name,
                "email": each.email,
                "locked": _moment(each.locked),
                "roles": [_words(text) for text in each.roles],
                "href": links.admin_person(each.name),
            }
            for each in found
        ],
        **_choices(request, places),
        "links": [*_links(links.here(request.path, request.query)), *following],
    }


def _words(text: str) -> Document:
    """A role in the list: role, organisation and a steward's group with a blank between them."""
    role, organisation, *group = text.split(" ", 2)
    return {"role": role, "organisation": organisation, **({"group": group[0]} if group else {})}


def _choices(request: Request, places: Places) -> Document:
    """What a form may offer."""
    return {
        "assignable": {
            "roles": places.roles,
            "organisations": [
                {"code": each.code, "title": each.called(request.lang)}
                for _, each in _tree(places.organisations)
            ],
            "groups": [{"code": each.code, "title": each.called(request.lang)} for each in places.groups],
        }
    }


def person(request: Request, found: Person, places: Places) -> Document:
    """One account. What it sees in all and its keys are told to whom it is wholly in reach of alone."""
    account, name = found.account, found.account.principal.name
    whole: Document = {
        "sees": account.principal.policy_class,
        "keys": [_key(each) for each in found.keys],
    }
    return {
        "name": name,
        "kind": account.kind,
        "displayName": account.display_name,
        "email": account.email,
        "language": account.language,
        "created": _moment(account.created),
        "locked": _moment(account.locked),
        "wholly": found.whole,
        "memberships": [_membership(each) for each in found.memberships],
        **(whole if found.whole else {}),
        **_choices(request, places),
        "links": _links(request.links.admin_person(name)),
    }


def _membership(each: Membership) -> Document:
    return {
        "role": each.role,
        "organisation": each.organisation,
        **({"group": each.group} if each.group else {}),
        "grantedBy": each.granted_by,
        "since": _moment(each.since),
        "until": _moment(each.until),
        "held": each.until is None or each.until > datetime.now(UTC),
    }


def _key(each: ListedKey) -> Document:
    ended = each.expires is not None and each.expires <= datetime.now(UTC)
    return {
        "number": each.number,
        "label": each.label,
        "scopes": list(each.scopes),
        "created": _moment(each.created),
        "expires": _moment(each.expires),
        "revoked": _moment(each.revoked),
        "open": each.revoked is None and not ended,
    }


def invitations(
    request: Request, found: Sequence[Invitation], places: Places, more: Mapping[str, str] | None
) -> Document:
    links, now = request.links, datetime.now(UTC)
    following = [link(links.admin_invitations(more), "next", media.JSON)] if more else []
    return {
        "invitations": [
            {
                "number": each.number,
                "email": each.email,
                "role": each.role,
                "organisation": each.organisation,
                **({"group": each.group} if each.group else {}),
                "invitedBy": each.invited_by,
                "created": _moment(each.created),
                "expires": _moment(each.expires),
                "accepted": _moment(each.accepted),
                "account": each.account,
                "open": each.accepted is None and each.expires > now,
            }
            for each in found
        ],
        **_choices(request, places),
        "links": [*_links(links.here(request.path, request.query)), *following],
    }


def groups(request: Request, who: Administrator, found: Sequence[Group]) -> Document:
    return {
        "central": who.central,
        "groups": [_group(request, each) for each in found],
        "links": _links(request.links.admin_groups()),
    }


def group(request: Request, found: Group) -> Document:
    return {**_group(request, found), "links": _links(request.links.admin_group(found.code))}


def _group(request: Request, each: Group) -> Document:
    return {
        "code": each.code,
        "name": each.name,
        "nameEn": each.name_en,
        "title": each.called(request.lang),
        "taxa": list(each.taxa),
        "taxaCovered": each.covered,
        "stewards": list(each.stewards),
        "href": request.links.admin_group(each.code),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _links(address: str) -> list[dict[str, object]]:
    return [link(address, "self", media.JSON), link(address, "alternate", media.HTML)]
