"""The reference systems that the database can transform."""

from __future__ import annotations

from gis_service.db.query import Query

# Codes that an administrator gave a system of their own aren't EPSG's, whatever their number.
KNOWN = Query("select srid from public.spatial_ref_sys where auth_name = 'EPSG' and auth_srid = srid")

# VN-2000: in degrees, in UTM zones 48N and 49N, in TM-3 zones.
_VN2000 = (4756, 3405, 3406, *range(5896, 5900), *range(9205, 9219))
MISSING = Query(
    "select wanted from unnest($1::int[]) wanted"
    " where wanted not in (select srid from public.spatial_ref_sys) order by wanted",
    (list(_VN2000),),
)
