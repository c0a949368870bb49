"""Answers about polygons and layers: overlaps, species, plots, the nearest area; all on exact geometry."""
