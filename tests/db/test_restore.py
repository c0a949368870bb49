"""A backup by pg_dump comes back whole: nothing relies on a search path, which a dump doesn't keep."""

import subprocess
from pathlib import Path

from gis_service.db.cluster import Cluster
from gis_service.db.postgres import find_postgres
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase
from tests.conftest import clone

COUNTS = Query(
    """
    select (select count(*) from pg_trigger where not tgisinternal), (select count(*) from pg_class),
           (select count(*) from pg_policy), (select count(*) from pg_proc),
           (select count(*) from pg_constraint)
    """
)


def test_a_dump_is_restored_without_a_fault(cluster: Cluster, template: str, tmp_path: Path) -> None:
    dump = tmp_path / "gis.dump"
    programs = find_postgres()
    dsn = cluster.dsn(template)
    subprocess.run([programs.program("pg_dump"), "-d", dsn, "-Fc", "-f", dump], check=True)
    with clone(cluster, "template1") as empty:
        restore = [programs.program("pg_restore"), "-d", empty, "--exit-on-error", str(dump)]
        done = subprocess.run(restore, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        with SyncDatabase(dsn) as before, SyncDatabase(empty) as after:
            assert after.run(COUNTS) == before.run(COUNTS)
