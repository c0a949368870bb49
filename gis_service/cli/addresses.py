"""The addresses that a person needs after a start."""

import sys

from gis_service.cli.command import Context
from gis_service.cli.runtime import Running

SAMPLE = "gis_service/demo/data/sample-project.geojson"


def print_addresses(context: Context, running: Running) -> None:
    """Print where the map is, what QGIS is given, a sample report, the keys and the logs."""
    data_dir = context.settings.data_dir
    lines = [
        ("map", f"{running.url}/map"),
        ("qgis", f"{running.url}/"),
        ("report", f"./gis report {SAMPLE} -o report.html"),
        ("keys", str(data_dir / "keys.json")),
        ("logs", str(data_dir / "logs")),
    ]
    if not (data_dir / "keys.json").exists():  # without the demo there are none
        lines = [each for each in lines if each[0] != "keys"]
    for key, value in lines:
        sys.stdout.write(f"  {context.say(f'cli.address.{key}')}: {value}\n")
    sys.stdout.flush()
