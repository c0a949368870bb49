"""Reports: a typed result, and the renderers that stand apart from it."""
