"""Errors of the samplers against exact answers; `command` is what runs."""
