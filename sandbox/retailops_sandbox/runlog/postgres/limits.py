"""How long a database may take before it counts as away."""

from __future__ import annotations

ANSWER_S = 5.0
"""Seconds in which nothing comes from the database, though something was asked."""
LONG_ANSWER_S = 300.0
"""The same for what is large: to delete a run, to begin to copy one."""
