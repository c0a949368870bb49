"""Proposals: a board's correction through province and centre to a release, and back.

Two provinces of one degree (tests.sample). Bo is the editor of province A, Phan its reviewer, Chi and Chau
review for the centre, Binh edits for province B.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import psycopg
import pytest
import shapely

from gis_service.access import accounts, keystore, organisations, wall
from gis_service.access.accounts import NewAccount
from gis_service.access.organisations import Organisation
from gis_service.access.principal import Principal, Role
from gis_service.catalog.layer import Layer
from gis_service.catalog.registry import load_catalog
from gis_service.changes import store
from gis_service.changes.propose import Asked, Draft, propose
from gis_service.changes.values import Action, Proposal
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from gis_service.errors import Conflict, DataRefused, Forbidden, GisError, NotFound
from gis_service.settings import Workflow
from tests import sample
from tests.conftest import ROOT

FLOW = Workflow()
AREA = "open-A"
PEOPLE: Sequence[tuple[str, str, Role]] = (
    ("bo", "dept-a", "editor"),
    ("phan", "dept-a", "reviewer"),
    ("phuc", "dept-a", "reviewer"),
    ("binh", "dept-b", "editor"),
    ("chi", "nbca", "reviewer"),
    ("chau", "nbca", "editor"),
    ("chau", "nbca", "reviewer"),
)


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    return dict(load_catalog(ROOT).layers)


def world(dsn: str, layers: dict[str, Layer]) -> SyncDatabase:
    """The sample with its organisations and people."""
    sample.fill(dsn)
    database = SyncDatabase(dsn)
    wall.apply(database, layers.values())
    organisations.create(database, Organisation("nbca", "Cục", None, "central"))
    for code in ("A", "B"):
        department = Organisation(f"dept-{code.lower()}", f"Sở {code}", None, "province", "nbca", (code,))
        organisations.create(database, department)
    for name in dict.fromkeys(name for name, _, _ in PEOPLE):
        accounts.create(database, NewAccount(name))
    for name, organisation, role in PEOPLE:
        accounts.grant(database, name, organisation, role)
    return database


@pytest.fixture
def db(fresh_database: str, layers: dict[str, Layer]) -> Iterator[SyncDatabase]:
    """A world of this test's own."""
    with world(fresh_database, layers) as database:
        yield database


@pytest.fixture(scope="module")
def still(database: str, layers: dict[str, Layer]) -> Iterator[SyncDatabase]:
    """A world whose features no test changes."""
    with world(database, layers) as made:
        yield made


def who(db: SyncDatabase, name: str) -> Principal:
    return keystore.principal_named(db, name)


def box(west: float, south: float, size: float = 0.2) -> bytes:
    return shapely.to_wkb(shapely.MultiPolygon([shapely.box(west, south, west + size, south + size)]))


def rename(
    db: SyncDatabase, layers: dict[str, Layer], name: str, by: str = "bo", area: str = AREA
) -> Proposal:
    asked = [Asked("update", area, {"name": name})]
    return propose(db, FLOW, layers["protected-areas"], who(db, by), Draft(f"Rename to {name}"), asked)


def take(db: SyncDatabase, layers: dict[str, Layer], proposal: Proposal, action: Action, by: str) -> Proposal:
    return store.take(db, FLOW, layers[proposal.layer], proposal, action, who(db, by), "because")


def approved(db: SyncDatabase, layers: dict[str, Layer], proposal: Proposal) -> Proposal:
    for action, by in (("submit", proposal.author), ("accept", "phan"), ("approve", "chi")):
        proposal = take(db, layers, proposal, action, by)  # type: ignore[arg-type]  # the words above
    return proposal


def publish(
    db: SyncDatabase, layers: dict[str, Layer], *proposals: Proposal, dry_run: bool = False
) -> store.Manifest:
    return store.publish(db, FLOW, layers, proposals, who(db, "chi"), "release of May", dry_run=dry_run)


def names(db: SyncDatabase, release: int | None = None) -> list[str]:
    relation = "gis.protected_area" if release is None else f"gis.protected_area_as_of({release:d})"
    sql = f"select name from {relation} where source_id like 'open-A%' or source_id like 'p%' order by gid"
    return [name for (name,) in db.run(Query(sql))]


def test_a_correction_goes_from_a_draft_to_a_release_and_back(
    db: SyncDatabase, layers: dict[str, Layer]
) -> None:
    layer = layers["protected-areas"]
    asked = [
        Asked("update", AREA, {"name": "Khu mới", "name_eng": "Area open A"}, box(105.4, 20.4, 0.3)),
        Asked("insert", None, {"name": "Thêm"}, box(105.1, 20.1)),
        Asked("delete", "closed-A"),
    ]
    draft = propose(db, FLOW, layer, who(db, "bo"), Draft("Correction"), asked)
    first, second, third = store.changes(db, layer, draft.number)
    assert [(d.column, d.before, d.after) for d in first.differences] == [("name", "Khu open A", "Khu mới")]
    assert (first.moved, second.operation, third.operation) == (True, "insert", "delete")
    before = draft.base_release
    ready = approved(db, layers, draft)

    dry = publish(db, layers, ready, dry_run=True)
    assert names(db) == ["Khu open A"], "a dry run writes nothing"
    made = publish(db, layers, ready)
    (table,), (tried,) = made.tables, dry.tables
    # The new row has another gid this time, for gids are never given twice.
    assert replace(dry, tables=(replace(tried, checksum=table.checksum),)) == made
    assert made.release == before + 1
    assert (table.table, table.inserted, table.changed, table.withdrawn) == ("protected_area", 1, 1, 1)
    assert names(db) == ["Khu mới", "Thêm"]
    assert names(db, before) == ["Khu open A"], "yesterday reads as yesterday"
    sum_now = sample.scalar(db, f"select encode(gis.rows_checksum('protected_area', {made.release}), 'hex')")
    assert sum_now == table.checksum

    undone = store.rollback(db, made.release, who(db, "chi"), None)
    assert (undone.tables[0].inserted, undone.tables[0].changed, undone.tables[0].withdrawn) == (1, 1, 1)
    assert names(db) == ["Khu open A"]
    assert names(db, made.release) == ["Khu mới", "Thêm"]
    assert sample.scalar(db, "select count(*) from gis.protected_area where source_id = 'closed-A'") == 1
    after = store.numbered(db, ready.number)
    assert (after.state, after.release) == ("superseded", made.release)
    logged = "select distinct actor from gis.audit where starts_with(subject, 'release')"
    assert db.run(Query(logged)) == [("chi",)]
    events = [(event.who, event.action) for event in store.events(db, ready.number)]
    assert events == [
        ("bo", "propose"), ("bo", "submit"), ("phan", "accept"), ("chi", "approve"), ("chi", "publish"),
        ("chi", "rollback"),
    ]  # fmt: skip


def test_of_two_changes_of_a_row_the_second_is_refused_whole(
    db: SyncDatabase, layers: dict[str, Layer]
) -> None:
    one, two = rename(db, layers, "Một"), rename(db, layers, "Hai")
    gid = sample.scalar(db, "select gid from gis.protected_area where source_id = 'open-A'")
    one, two = approved(db, layers, one), approved(db, layers, two)
    made = publish(db, layers, one, two)
    assert made.published == (one.number,)
    assert made.refused == (store.Refused(two.number, "lost", (gid,)),)  # type: ignore[arg-type]  # a gid
    again = publish(db, layers, two)
    assert (again.release, again.refused[0].gids, names(db)) == (None, (gid,), ["Một"])


def test_a_part_may_be_left_out_with_its_reason(db: SyncDatabase, layers: dict[str, Layer]) -> None:
    asked = [Asked("update", AREA, {"name": "Mới"}), Asked("delete", "closed-A")]
    draft = propose(db, FLOW, layers["protected-areas"], who(db, "bo"), Draft("Two"), asked)
    sent = take(db, layers, draft, "submit", "bo")
    layer = layers["protected-areas"]
    kept = store.take(db, FLOW, layer, sent, "accept", who(db, "phan"), None, {2: "it still exists"})
    made = publish(db, layers, take(db, layers, kept, "approve", "chi"))
    assert (made.tables[0].changed, made.tables[0].withdrawn) == (1, 0)
    assert [change.decision for change in store.changes(db, layer, kept.number)] == ["accepted", "rejected"]


def test_of_two_reviewers_at_once_one_meets_a_conflict(
    db: SyncDatabase, layers: dict[str, Layer], fresh_database: str
) -> None:
    sent = take(db, layers, rename(db, layers, "Mới"), "submit", "bo")
    together, ends = threading.Barrier(2), dict[str, str]()

    def review(name: str, action: Action) -> None:
        with SyncDatabase(fresh_database) as own:
            together.wait()
            try:
                take(own, layers, sent, action, name)
                ends[name] = "done"
            except Conflict:
                ends[name] = "conflict"

    threads = [
        threading.Thread(target=review, args=("phan", "accept")),
        threading.Thread(target=review, args=("phuc", "reject")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends.values()) == ["conflict", "done"]


def test_a_backend_that_dies_while_publishing_leaves_all_as_it_was(
    db: SyncDatabase, layers: dict[str, Layer], fresh_database: str
) -> None:
    ready = approved(db, layers, rename(db, layers, "Mới"))
    with psycopg.connect(fresh_database) as doomed:
        doomed.execute("select gis.publish_proposals(array[%s]::bigint[], 'half')", (ready.number,))
        assert doomed.execute("select count(*) from gis.protected_area where name = 'Mới'").fetchone() == (1,)
        db.run(Query("select pg_terminate_backend($1)", (doomed.info.backend_pid,)))
        with pytest.raises(psycopg.OperationalError):
            doomed.execute("select 1")
    assert (names(db), store.numbered(db, ready.number).state) == (["Khu open A"], "central_approval")
    assert publish(db, layers, ready).release == ready.base_release + 1, (
        "and its release number is free again"
    )


def test_a_release_whose_rows_have_changed_since_is_not_undone(
    db: SyncDatabase, layers: dict[str, Layer]
) -> None:
    first = publish(db, layers, approved(db, layers, rename(db, layers, "Một")))
    second = publish(db, layers, approved(db, layers, rename(db, layers, "Hai")))
    assert first.release is not None
    assert second.release is not None
    gid = sample.scalar(db, "select gid from gis.protected_area where source_id = 'open-A'")
    with pytest.raises(Conflict, match=f"1 of its rows .* gid {gid}$"):
        store.rollback(db, first.release, who(db, "chi"), None)
    store.rollback(db, second.release, who(db, "chi"), None)
    assert names(db) == ["Một"]


def test_versions_rise_for_the_classes_that_see_the_change(
    db: SyncDatabase, layers: dict[str, Layer]
) -> None:
    def versions() -> dict[str, int]:
        return dict(
            db.run(Query("select class, version from gis.class_version where table_name = 'occurrence'"))
        )

    secret = str(sample.scalar(db, "select public_id from gis.occurrence where source_id = 'A1'"))
    asked = [Asked("update", secret, {"locality": "Hollow"})]
    draft = propose(db, FLOW, layers["occurrences"], who(db, "bo"), Draft("A secret place"), asked)
    before = versions()
    publish(db, layers, approved(db, layers, draft))
    risen = {name for name, version in versions().items() if version != before.get(name)}
    assert risen == {"full", "j:A"}, (
        "a hidden row's new locality is news to its province and the centre alone"
    )


@pytest.mark.parametrize(
    ("layer", "asked", "refused"),
    [
        ("protected-areas", Asked("update", "open-B", {"name": "x"}), Forbidden),
        ("protected-areas", Asked("update", AREA, geometry=box(106.4, 20.4)), Forbidden),
        ("protected-areas", Asked("insert", None, {"name": "x"}, box(106.1, 20.1)), Forbidden),
        ("protected-areas", Asked("delete", "nothing"), DataRefused),
        ("protected-areas", Asked("update", AREA, {"gid": 7}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"rev": 7}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"dataset_id": 1}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"restricted": False}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"jurisdiction": ["A"]}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"sensitivity": 0}), DataRefused),
        ("protected-areas", Asked("update", AREA, {"name": "Khu open A"}), DataRefused),
        ("provinces", Asked("update", "province-A", {"name": "x"}), GisError),
    ],
)
def test_rows_of_others_and_columns_beyond_are_refused(
    still: SyncDatabase, layers: dict[str, Layer], layer: str, asked: Asked, refused: type[GisError]
) -> None:
    with pytest.raises(refused):
        propose(still, FLOW, layers[layer], who(still, "bo"), Draft("Too much"), [asked])


def test_a_hidden_property_can_not_be_named(still: SyncDatabase, layers: dict[str, Layer]) -> None:
    access = layers["protected-areas"].access
    assert access.jurisdiction is not None
    hiding = access.model_copy(
        update={"jurisdiction": access.jurisdiction.model_copy(update={"hide": ("mang_auth",)})}
    )
    layer = layers["protected-areas"].model_copy(update={"access": hiding})
    with pytest.raises(DataRefused, match="mang_auth"):
        propose(still, FLOW, layer, who(still, "bo"), Draft("x"), [Asked("update", AREA, {"mang_auth": "x"})])


def test_another_s_row_that_is_hidden_is_unknown(still: SyncDatabase, layers: dict[str, Layer]) -> None:
    hidden = str(sample.scalar(still, "select public_id from gis.occurrence where source_id = 'B1'"))
    asked = [Asked("update", hidden, {"locality": "x"})]
    with pytest.raises(DataRefused, match="no features"):
        propose(still, FLOW, layers["occurrences"], who(still, "bo"), Draft("x"), asked)


def test_a_step_is_judged_by_the_jurisdictions_of_its_moment(
    still: SyncDatabase, layers: dict[str, Layer]
) -> None:
    sent = take(still, layers, rename(still, layers, "Mới"), "submit", "bo")
    organisations.set_jurisdictions(still, "dept-a", ["B"])
    with pytest.raises(Forbidden):
        take(still, layers, sent, "accept", "phan")
    organisations.set_jurisdictions(still, "dept-a", ["A"])
    assert take(still, layers, sent, "accept", "phan").state == "province_review"


def test_steps_go_in_their_order_by_those_whom_they_belong_to(
    still: SyncDatabase, layers: dict[str, Layer]
) -> None:
    draft = rename(still, layers, "Mới", by="chau")
    with pytest.raises(Conflict):
        take(still, layers, draft, "accept", "phan")
    with pytest.raises(Forbidden):
        take(still, layers, draft, "submit", "bo")
    sent = take(still, layers, draft, "submit", "chau")
    for by in ("bo", "binh", "chi"):
        with pytest.raises(Forbidden):
            take(still, layers, sent, "accept", by)
    with pytest.raises(Conflict):
        take(still, layers, sent, "approve", "chi")
    with pytest.raises(Conflict):
        publish(still, layers, sent)
    seen = take(still, layers, sent, "accept", "phan")
    with pytest.raises(Forbidden, match="your own"):
        take(still, layers, seen, "approve", "chau")
    back = take(still, layers, seen, "return", "chi")
    assert (back.state, take(still, layers, back, "withdraw", "chau").state) == ("draft", "withdrawn")


def test_settings_let_the_centre_s_own_proposals_skip_steps(
    db: SyncDatabase, layers: dict[str, Layer]
) -> None:
    flow = replace(FLOW, skip_province_review=("central",), central_approval=())
    layer = layers["protected-areas"]
    draft = rename(db, layers, "Mới", by="chau")
    sent = store.take(db, flow, layer, draft, "submit", who(db, "chau"))
    made = store.publish(db, flow, layers, [sent], who(db, "chi"), "at once")
    assert (made.published, names(db)) == ((draft.number,), ["Mới"])


def test_what_was_submitted_and_what_happened_stand(still: SyncDatabase, layers: dict[str, Layer]) -> None:
    sent = take(still, layers, rename(still, layers, "Mới"), "submit", "bo")
    for sql in (
        "update gis.proposed_change set \"values\" = '{}'",
        "delete from gis.proposed_change",
        "update gis.proposal_event set who = 'x'",
        f"delete from gis.proposal where proposal_id = {sent.number}",
    ):
        with pytest.raises(Conflict):
            still.run(Query(sql))


def test_a_row_comes_once_in_a_proposal(still: SyncDatabase, layers: dict[str, Layer]) -> None:
    asked = [Asked("update", AREA, {"name": "x"}), Asked("delete", AREA)]
    with pytest.raises(DataRefused, match=f"twice: {AREA}"):
        propose(still, FLOW, layers["protected-areas"], who(still, "bo"), Draft("Twice"), asked)


def test_an_unknown_proposal_is_not_found(still: SyncDatabase) -> None:
    with pytest.raises(NotFound):
        store.numbered(still, 99)
