"""OGC API Processes: pygeoapi as a library, jobs in PostgreSQL, the worker that runs them."""
