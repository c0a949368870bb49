"""Who may see what: principals, the one policy function, and the wall in PostgreSQL."""
