"""A small question over made-up areas: it has every function of the engine compiled before anybody asks.

Without what an earlier start kept on disk that takes half a minute; with it, less than a second.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely

from gis_service.geoprocessing.engine import index
from gis_service.geoprocessing.engine.index import of_labels, of_shapes, shared


def rehearse() -> float:
    """m² that three areas share with themselves, after one was deleted and one written anew."""
    shapes = np.array([shapely.box(105, 20, 106.1, 21.2), shapely.box(105.5, 20.5, 106, 21)], object)
    hole = shapely.Point(105.5, 20.5).buffer(0.3).difference(shapely.Point(105.5, 20.5).buffer(0.1))
    with ThreadPoolExecutor(1) as threads:
        made = index.build([(np.arange(2), shapes)], True, threads, lambda _share: None)
    made = index.changed(made, [(np.array([1, 2]), np.array([hole, shapes[1]], object))], np.array([0]))
    assert made.flat is not None, "laid flat"
    flat = [(made.flat.layer, np.zeros(len(made.flat.atoms.names), np.int32))]
    zones = of_labels(of_shapes(shapes), np.zeros(2, np.int32))
    every = of_labels(made, np.zeros(made.labels, np.int32))
    total = shared(zones, flat, (1, 1)) + shared(zones, every, (1, 1))
    return float(total.sum())
