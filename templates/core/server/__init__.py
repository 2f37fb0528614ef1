"""The server: implement `ResponsesService`, and hand it to `create_app`."""
