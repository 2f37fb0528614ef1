"""The router: which provider serves a request, within which limits, and what is tried next."""
