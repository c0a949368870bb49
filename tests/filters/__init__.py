"""Random filters: a grammar of CQL2, a writer of its text, and a second engine that answers them."""
