"""What every command is given, and the database it works on."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gis_service.db.cluster import Cluster
from gis_service.errors import GisError, NotRunning
from gis_service.settings import Settings
from gis_service.texts import catalogue, say


@dataclass(frozen=True, slots=True)
class Context:
    """The settings and the reader's language."""

    settings: Settings
    lang: str

    def say(self, key: str, **values: object) -> str:
        """Give a sentence of the catalogue in the reader's language."""
        return say(key, self.lang, **values)

    def print(self, key: str, **values: object) -> None:
        """Print a sentence of the catalogue."""
        sys.stdout.write(self.say(key, **values) + "\n")

    def running_dsn(self) -> str:
        """Give the address of the database that is running already; NotRunning if it isn't."""
        if self.settings.database_url:
            return self.settings.database_url
        cluster = Cluster(self.settings.data_dir)
        if cluster.pid() is None:
            raise NotRunning
        return cluster.dsn()


def sentence(error: GisError, lang: str) -> str:
    """Say an error in the reader's language, in its class's words where the catalogue has none."""
    key = str(error.values.get("key") or f"cli.error.{error.code}")
    if key not in catalogue():
        return error.message()
    values = {name: value for name, value in error.values.items() if name != "key"}
    return say(key, lang, **{"detail": error.detail, **values})


def language(env: Mapping[str, str]) -> str:
    """Choose vi or en from GIS_LANG or the system's locale."""
    asked = next((env[name] for name in ("GIS_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "en")
    return "vi" if asked.lower().startswith("vi") else "en"
