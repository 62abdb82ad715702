"""The published tables, made again on models at hand."""

from __future__ import annotations

from gddim_tf.evaluation.tables.definitions import TABLES, Row, Table
from gddim_tf.evaluation.tables.make import Workshop
from gddim_tf.evaluation.tables.plan import Plan

__all__ = ["TABLES", "Plan", "Row", "Table", "Workshop"]
