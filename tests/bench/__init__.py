"""`./gis bench`: our server beside its peers and the floor, on one seeded data set."""
