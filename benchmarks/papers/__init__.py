"""The published tables, made again on models at hand; `command` is what runs."""
