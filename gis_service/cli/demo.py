"""The demo data of a first start."""

from gis_service.bootstrap.steps import Steps
from gis_service.cli.command import Context
from gis_service.db.query import Query
from gis_service.db.sync import SyncDatabase

# Measurements are the demo's last rows: without them it was stopped half way and is taken up again.
# A database that its owner has filled is never mixed with the demo.
_WANTED = Query(
    """
    select not exists (select from gis.measurement)
       and not exists (select from gis.load join gis.dataset using (dataset_id) where slug not like 'demo-%')
    """
)


def load_demo_once(context: Context, dsn: str, steps: Steps) -> bool:
    """Load the demo into a database that holds nothing else, unless it is there; whether it did."""
    with SyncDatabase(dsn) as database:
        if not database.run(_WANTED)[0][0]:
            return False
    # Imported here: geopandas comes with it, for which a second start needn't wait.
    from gis_service.demo.load import load_demo

    with steps.step(context.say("cli.step.demo")) as bar:
        load_demo(dsn, context.settings.root, bar.count)
    return True
