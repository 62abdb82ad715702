"""Measurements of the package, run from a clone: the tables of the papers, accuracy, load."""
