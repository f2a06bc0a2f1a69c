"""Expressions of a definition's columns: SQL, checked against a plan, run over decoded records.

Read by sqlglot in PostgreSQL's spelling; only what `compiling` knows is accepted, and nothing is
ever evaluated as code. Fields are named by their path (`customer.id`) or by their column. The
type is inferred; null behaves as in SQL. Pure.
"""

from lineage.connectors.expressions.compiling import Compiled, check_syntax, compiled
from lineage.connectors.expressions.types import ExpressionError

__all__ = ["Compiled", "ExpressionError", "check_syntax", "compiled"]
