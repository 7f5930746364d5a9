"""What the processes that share a log tell each other, besides its rows."""

from __future__ import annotations

RUNS_LOCK = 0x52534C47
"""The first number of the advisory lock that the writer of a run holds; the second is the run's number."""
CHANNEL = "retailops_log"
"""Notified by each transaction that changes something."""
