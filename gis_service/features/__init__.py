"""OGC API Features without the web: query strings to values, layers to documents."""
