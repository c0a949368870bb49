"""PostgreSQL and PostGIS: the only package that imports psycopg."""
