"""The published tables, made again on models at hand."""

from __future__ import annotations

from benchmarks.papers.definitions import TABLES, Row, Table
from benchmarks.papers.make import Workshop
from benchmarks.papers.plan import Plan

__all__ = ["TABLES", "Plan", "Row", "Table", "Workshop"]
