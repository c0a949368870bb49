"""GDAL without the formats whose files point elsewhere: a file mustn't make us fetch or read another one."""

from __future__ import annotations

import functools
from typing import Final

import pyogrio
from pyogrio import _ogr

# By content, whatever the file is called: OGR_VRT and GDALG name other files or addresses, GPSBabel starts a
# program, the others are clients of web services and databases.
REFERRING: Final = (
    "OGR_VRT",
    "GDALG",
    "GPSBabel",
    "WFS",
    "CSW",
    "HTTP",
    "OGCAPI",
    "PLSCENES",
    "Elasticsearch",
    "ADBC",
)


@functools.cache
def forget_referring_formats() -> None:
    """Take these formats out of GDAL; called before a file is opened, and again for nothing."""
    pyogrio.set_gdal_config_options({"OGR_SKIP": ",".join(REFERRING)})
    _ogr._register_drivers()  # registering anew is when GDAL heeds the option; pyogrio has no other way
