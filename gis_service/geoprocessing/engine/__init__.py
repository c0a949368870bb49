"""Overlap and coverage from one quadtree: whole cells and the edges that cross the others."""
