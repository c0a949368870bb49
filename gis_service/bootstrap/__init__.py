"""What `./gis` does before its dependencies are there: standard library alone, from Python 3.11."""
