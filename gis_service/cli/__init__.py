"""The commands of `./gis`: each module parses its own arguments and calls the part that does the work."""
