"""A service that needs no model: it shows what a server does, and how a service is written."""
