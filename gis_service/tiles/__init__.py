"""Vector tiles without the web: which tile of which layers, TileJSON, tile matrix sets, styles."""
