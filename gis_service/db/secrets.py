"""Keys that the processes of a service share through its database."""

from __future__ import annotations

from gis_service.db.query import Query

PAGING = Query("select value from gis.secret where name = 'paging'")  # signs the tokens of pages
