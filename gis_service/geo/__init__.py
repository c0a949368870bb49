"""Pure geometry of the service: boxes, reference systems, tile grids, time. No I/O."""
