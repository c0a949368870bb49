"""CQL2 filters: the frozen tree of one and its compilation to a condition of SQL."""

from gis_service.db.cql2.nodes import Filter

__all__ = ["Filter"]
