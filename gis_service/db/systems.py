"""The reference systems that the database can transform."""

from __future__ import annotations

from gis_service.db.query import Query

# Codes that an administrator gave a system of their own aren't EPSG's, whatever their number.
KNOWN = Query("select srid from public.spatial_ref_sys where auth_name = 'EPSG' and auth_srid = srid")
