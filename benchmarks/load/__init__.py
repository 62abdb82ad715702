"""Clients that ask a server for images as fast as it answers."""
