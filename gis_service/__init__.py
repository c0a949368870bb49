"""gis-service: conservation layers in PostGIS, published as OGC API Features, vector tiles and reports."""

__version__ = "0.1.0"
