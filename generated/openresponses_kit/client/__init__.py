"""The client: its pure core, and a synchronous and an asynchronous shell around it."""
