"""The web server: requests, routes, negotiation, pages."""
