"""The audit log: what writes to it, that its chain holds, and that whoever tampers with it is found."""

import hashlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from gis_service.access import auditing, keystore
from gis_service.access.auditing import START, Fault, Head, Verdict
from gis_service.access.principal import Principal
from gis_service.db import audit
from gis_service.db.audit import Actor, as_actor
from gis_service.db.sync import SyncDatabase
from tests.db.schema import Connection, ask, connected, dataset, one

LAN = Actor("lan", "operator", "cli", "asked by the board")


@pytest.fixture
def db(fresh_database: str) -> Iterator[Connection]:
    with connected(fresh_database) as connection:
        yield connection


def record(db: Connection, count: int, since: int = 1) -> None:
    for n in range(since, since + count):
        db.execute("select gis.record_audit('trial.made', %s)", [f"trial:{n}"])


def verified(dsn: str, *noted: Head) -> Verdict:
    with audit.copied(dsn) as entries:
        return auditing.verify(entries, noted)


def head(dsn: str) -> Head:
    with SyncDatabase(dsn) as database:
        return Head(*database.run(audit.HEAD)[0])


def told(db: Connection, like: str) -> list[tuple[Any, ...]]:
    return ask(db, "select action, subject, details from gis.audit where subject like %s order by seq", like)


def tamper(db: Connection, *statements: str) -> None:
    """What a superuser does who switches the guards off and on again."""
    with db.transaction():
        db.execute("set local session_replication_role = replica")
        for statement in statements:
            db.execute(statement.encode())


_REHASH = "update gis.audit a set hash = gis.audit_hash(a) where seq = 5"
_SHIFT_UP = "update gis.audit set seq = seq + 900 where seq >= 5"
_SHIFT_DOWN = "update gis.audit set seq = seq + 900 where seq > 5"
_INSERT = """
    insert into gis.audit
      select 5, at, 'nobody', actor_role, action, subject, old_hash, new_hash, reason, client, details,
             hash, hash
        from gis.audit where seq = 4
"""
_SWAP = """
    update gis.audit set seq = case seq when 905 then 9 else 5 end where seq in (905, 909)
"""


def back(by: int) -> str:
    return f"update gis.audit set seq = seq - {by} where seq > 900"


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        pytest.param(
            ["update gis.audit set actor = 'x' where seq = 5"], [Fault("changed", 5, 5)], id="actor"
        ),
        pytest.param(
            ["update gis.audit set at = at - interval '1 day' where seq between 5 and 7"],
            [Fault("changed", 5, 7)],
            id="times",
        ),
        pytest.param(["update gis.audit set reason = '' where seq = 5"], [Fault("changed", 5, 5)], id="null"),
        pytest.param(
            ["update gis.audit set previous = sha256('x') where seq = 5"], [Fault("changed", 5, 5)], id="link"
        ),
        pytest.param(
            ["update gis.audit set actor = 'x' where seq = 5", _REHASH],
            [Fault("rewritten", 5, 6)],
            id="rehash",
        ),
        pytest.param(["delete from gis.audit where seq = 5"], [Fault("removed", 5, 5)], id="removed"),
        pytest.param(["delete from gis.audit where seq <= 2"], [Fault("removed", 1, 2)], id="beginning"),
        pytest.param(
            ["delete from gis.audit where seq = 5", _SHIFT_DOWN, back(901)],
            [Fault("moved", 5, 10, 1), Fault("removed", 5, 5)],
            id="removed-and-numbered-anew",
        ),
        pytest.param(
            [_SHIFT_UP, back(899), _INSERT, _REHASH],
            [Fault("moved", 6, 12, -1), Fault("inserted", 5, 5)],
            id="inserted",
        ),
        pytest.param(
            [_SHIFT_UP, _SWAP, back(900)], [Fault("moved", 5, 5, 4), Fault("moved", 9, 9, -4)], id="reordered"
        ),
    ],
)
def test_each_kind_of_tampering_is_found_and_named(
    db: Connection, fresh_database: str, statements: list[str], faults: list[Fault]
) -> None:
    record(db, 10)
    assert one(db, "select max(seq) from gis.audit") == 11, "the first entry tells that the log has begun"
    assert verified(fresh_database) == Verdict(11, head(fresh_database), ())
    tamper(db, *statements)
    assert list(verified(fresh_database).faults) == faults


def test_a_removed_tail_is_found_by_a_head_that_was_kept_outside(db: Connection, fresh_database: str) -> None:
    record(db, 10)
    kept = head(fresh_database)
    tamper(db, "delete from gis.audit where seq > 8")
    assert verified(fresh_database).faults == ()
    assert verified(fresh_database, kept).faults == (Fault("removed", 9, 11),)


def test_a_log_that_was_written_anew_as_a_whole_is_found_by_a_head_alone(
    db: Connection, fresh_database: str
) -> None:
    record(db, 10)
    kept = head(fresh_database)
    tamper(db, "update gis.audit set actor = 'x' where seq = 5")
    for seq in range(5, 12):
        tamper(
            db,
            "update gis.audit a set previous = b.hash from gis.audit b"
            f" where a.seq = {seq} and b.seq = {seq - 1}",
            f"update gis.audit a set hash = gis.audit_hash(a) where seq = {seq}",
        )
    assert verified(fresh_database).faults == ()
    assert verified(fresh_database, kept).faults == (Fault("replaced", 1, 11),)


@pytest.mark.parametrize(
    "statement", ["update gis.audit set actor = 'x'", "delete from gis.audit", "truncate gis.audit"]
)
def test_entries_are_neither_changed_nor_removed(db: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only added to"):
        db.execute(statement.encode())


def test_whoever_inserts_an_entry_straight_into_the_table_gets_the_next_place(
    db: Connection, fresh_database: str
) -> None:
    db.execute(
        "insert into gis.audit (seq, at, actor, actor_role, action, subject, details, previous, hash)"
        " values (900, '2001-01-01', 'x', 'x', 'x', 'x', '{}', sha256('a'), sha256('b'))"
    )
    assert one(db, "select seq from gis.audit where actor = 'x' and at > now() - interval '1 hour'") == 2
    assert verified(fresh_database).faults == ()


def test_no_role_of_a_policy_class_reads_or_writes_the_log(db: Connection) -> None:
    db.execute("select gis.ensure_jurisdiction_role('A')")
    for role in ("gis_public", "gis_jurisdiction", "gis_j_a", "gis_full"):
        for statement in (
            "select from gis.audit",
            "select from gis.audit_intake",
            "select gis.record_audit('a', 'b')",
            "delete from gis.audit_intake",
        ):
            db.execute(f"set role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement.encode())
            db.execute("reset role")


def test_triggers_that_are_switched_off_are_named(db: Connection, fresh_database: str) -> None:
    db.execute("alter table gis.api_key disable trigger audit")
    db.execute("alter table gis.audit disable trigger keep")
    with SyncDatabase(fresh_database) as database:
        assert audit.sleeping(database) == [("gis.api_key", "audit"), ("gis.audit", "keep")]


def test_the_hash_is_that_of_the_documented_encoding(db: Connection) -> None:
    """Lengths before values, so `ab` + `c` and `a` + `bc` differ: made here by hand from docs/audit.md."""
    db.execute("select gis.record_audit('a.made', 'a:é', '{\"n\": 1}', sha256('x'), null, 'why')")
    at, client, stored, previous = ask(
        db, "select at, client, hash, previous from gis.audit where action = 'a.made'"
    )[0]
    micros = round((at - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    text = b"".join(
        struct.pack(">i", len(value)) + value if value is not None else b"\xff\xff\xff\xff"
        for value in (
            struct.pack(">q", 2),
            struct.pack(">q", micros),
            str(one(db, "select session_user")).encode(),
            b"database",
            b"a.made",
            "a:é".encode(),
            hashlib.sha256(b"x").digest(),
            None,
            b"why",
            client.encode(),
            b'{"n": 1}',
        )
    )
    assert stored == hashlib.sha256(b"gis.audit 1" + previous + text).digest()


texts = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=40)
words = st.one_of(st.none(), texts, st.builds(lambda t: t * 2000, texts))
digests = st.one_of(st.none(), st.binary(max_size=40))
details = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_implementations_hash_alike(database: str, data: st.DataObject) -> None:
    values = {
        "actor": data.draw(words) or "x",
        "role": data.draw(words) or "x",
        "client": data.draw(words) or "x",
        "action": data.draw(words) or "x",
        "subject": data.draw(words) or "x",
        "details": Jsonb(data.draw(details)),
        "old": data.draw(digests),
        "new": data.draw(digests),
        "reason": data.draw(words),
    }
    with connected(database) as db:
        db.execute(
            "insert into gis.audit"
            " (actor, actor_role, action, subject, old_hash, new_hash, reason, client, details) values"
            " (%(actor)s, %(role)s, %(action)s, %(subject)s, %(old)s, %(new)s, %(reason)s, %(client)s,"
            " %(details)s)",
            values,
        )
    assert verified(database).faults == ()


def test_twenty_writers_at_once_make_one_chain(fresh_database: str) -> None:
    def write() -> None:
        with connected(fresh_database) as mine:
            record(mine, 10)

    writers = [threading.Thread(target=write) for _ in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    verdict = verified(fresh_database)
    assert (verdict.entries, verdict.head.seq, verdict.faults) == (201, 201, ())


def test_a_transaction_that_waits_does_not_hold_the_others_up(db: Connection, fresh_database: str) -> None:
    with connected(fresh_database) as other, db.transaction():
        record(db, 1, since=1)
        other.execute("set statement_timeout = '5s'")
        record(other, 1, since=2)
    assert [row[1] for row in told(db, "trial:%")] == ["trial:2", "trial:1"]
    assert verified(fresh_database).faults == ()


def _roll_back(mine: Connection) -> None:
    mine.execute("rollback")


def _kill(mine: Connection) -> None:
    with connected(mine.info.dsn) as other:
        other.execute("select pg_terminate_backend(%s)", [mine.info.backend_pid])


@pytest.mark.parametrize("end", [_roll_back, _kill])
def test_a_transaction_that_never_commits_leaves_no_gap(
    db: Connection, fresh_database: str, end: Callable[[Connection], None]
) -> None:
    with connected(fresh_database) as mine:
        mine.execute("begin")
        record(mine, 3)
        mine.execute("set constraints all immediate")  # so that the entries are in the log, uncommitted
        assert one(mine, "select max(seq) from gis.audit") == 4
        end(mine)
    for _ in range(100):
        if not one(db, "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid"
                       " from pg_database where datname = current_database())"):  # fmt: skip
            break
        time.sleep(0.05)
    record(db, 1, since=9)
    verdict = verified(fresh_database)
    assert (verdict.entries, verdict.head.seq, verdict.faults) == (2, 2, ())


def test_keys_are_told_when_made_and_revoked_and_never_their_hash(
    db: Connection, fresh_database: str
) -> None:
    with SyncDatabase(fresh_database) as database:
        database.run(as_actor(LAN, session=True))
        keystore.ensure_principal(database, Principal("lao-cai", "public"))
        made = keystore.create(database, "lao-cai", "Tablet")
        number = keystore.listed(database)[0].number
        keystore.revoke(database, number)
    actions = [row[0] for row in told(db, f"key:{number}")]
    assert actions == ["key.made", "key.revoked"]
    assert told(db, "account:lao-cai")[0][0] == "account.made"
    who = ask(
        db,
        "select distinct actor, actor_role, client, reason from gis.audit where starts_with(subject, 'key:')",
    )
    assert who == [("lan", "operator", "cli", "asked by the board")]
    whole = "".join(row[0] for row in ask(db, "select a::text from gis.audit a"))
    assert made not in whole
    assert hashlib.sha256(made.encode()).hexdigest() not in whole


def test_a_swapped_key_is_told_though_nothing_of_it_is_shown(db: Connection) -> None:
    db.execute("insert into gis.principal (name, tier) values ('p', 'public')")
    db.execute(
        "insert into gis.api_key (sha256, principal_id) select sha256('a'), principal_id from gis.principal"
    )
    db.execute("update gis.api_key set sha256 = sha256('b')")
    db.execute("update gis.api_key set sha256 = sha256('b')")  # as it was: nothing to tell
    old, new = ask(db, "select old_hash, new_hash from gis.audit where action = 'key.changed'")[0]
    assert old != new
    db.execute("truncate gis.session, gis.api_key")
    assert ask(db, "select action, subject from gis.audit order by seq desc limit 1") == [
        ("key.emptied", "gis.api_key")
    ]


def test_a_row_has_the_same_hash_in_every_session(db: Connection) -> None:
    db.execute("insert into gis.principal (name, tier) values ('p', 'public')")
    db.execute("set timezone = 'Asia/Ho_Chi_Minh'")
    db.execute("set bytea_output = 'escape'")
    db.execute("update gis.principal set locked_at = '2026-01-01'")
    made, locked = ask(
        db, "select old_hash, new_hash from gis.audit where subject = 'account:p' order by seq"
    )
    assert made[1] == locked[0]


def test_roles_and_invitations_are_told(db: Connection) -> None:
    db.execute("insert into gis.organisation (code, name, tier) values ('bo', 'Bộ', 'central')")
    db.execute("insert into gis.principal (name, tier) values ('lan', 'public')")
    db.execute("select gis.grant_role('lan', 'bo', 'reviewer')")
    db.execute("select gis.revoke_role('lan', 'bo', 'reviewer')")
    db.execute(
        "insert into gis.invitation (sha256, email, organisation_id, role, expires_at)"
        " select sha256('t'), 'hoa@example.org', organisation_id, 'reader', now() + interval '1 day'"
        " from gis.organisation"
    )
    db.execute("select gis.accept_invitation(sha256('t'), 'Hoa', 'vi')")
    assert [row[0] for row in told(db, "membership:%")] == [
        "membership.made",
        "membership.changed",
        "membership.made",
    ]
    assert [row[0] for row in told(db, "invitation:%")] == ["invitation.made", "invitation.accepted"]


def test_licences_and_the_sensitive_list_are_told(db: Connection) -> None:
    number = dataset(db)
    db.execute("update gis.dataset set redistribution = false where dataset_id = %s", [number])
    db.execute("update gis.dataset set title = 'Another' where dataset_id = %s", [number])
    db.execute("insert into gis.taxon (taxon_id, scientific_name) values ('t', 'Azemiops feae')")
    db.execute(
        "insert into gis.sensitivity (taxon_id, category, reason, authority, review_date)"
        " values ('t', 2, 'collected', 'board', '2030-01-01')"
    )
    db.execute("delete from gis.sensitivity")
    assert [row[0] for row in told(db, "dataset:%")] == ["dataset.made", "dataset.changed"]
    assert told(db, "dataset:%")[1][2]["before"] == {"redistribution": True}
    assert [row[0] for row in told(db, "sensitivity:t")] == ["sensitivity.made", "sensitivity.removed"]


def test_a_log_without_any_entry_is_whole() -> None:
    assert auditing.verify([]) == Verdict(0, Head(0, START), ())
