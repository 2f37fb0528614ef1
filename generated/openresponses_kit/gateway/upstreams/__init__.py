"""Upstreams: what a gateway samples."""
