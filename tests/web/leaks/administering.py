"""Requests for what administrators see: accounts and organisations, never a row of a layer.

Nobody learns here of accounts elsewhere: the suite holds all answers against the names of the others.
"""

from collections.abc import Iterable

from tests.web.leaks.ask import Ask, gets, post
from tests.web.leaks.world import World

REFUSED = ("public", "province-a")


def requests(_: World) -> Iterable[Ask]:
    lists = ("/admin", "/admin/organisations", "/admin/people", "/admin/invitations", "/admin/groups")
    for path in (*lists, "/admin/organisations/dept-b", "/admin/people/province-b", "/admin/groups/G-NONE"):
        yield Ask(path, who=REFUSED)
        yield Ask(f"{path}?f=html", who=REFUSED)
    for path in ("/audit", "/audit?f=csv", "/audit?f=html", "/audit?subject=proposal", "/audit/verify"):
        yield Ask(path, who=REFUSED)
    yield from gets("/admin/people/nobody", "/admin/organisations/none")
    reader = {"role": "reader", "organisation": "dept-b"}
    for path, sent in (
        ("/admin/organisations", {"code": "new", "name": "New", "parent": "dept-b"}),
        ("/admin/organisations/dept-b", {"action": "rename", "name": "New"}),
        ("/admin/people", {"name": "program", **reader}),
        ("/admin/people/province-b", {"action": "lock"}),
        ("/admin/invitations", {"action": "invite", "email": "new@example.org", **reader}),
        ("/admin/groups", {"code": "G-NEW", "name": "New"}),
        ("/admin/groups/G-NONE", {"name": "New"}),
    ):
        yield post(path, sent, who=REFUSED)
