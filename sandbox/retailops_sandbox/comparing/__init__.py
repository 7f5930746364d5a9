"""Comparing a response with its expectation, and the verdict on it.

values        JSON values: types, equality
matchers      what takes the place of equality, one record for each
rules         matchers by the paths where they apply
keys          hashable keys: items with equal keys compare without a difference
node          one place of an alignment of two documents
pairing       which item of the actual array is compared with which expected one
aligning      the alignment of two documents, as a tree of nodes
differences   the differences, notes and hints of an alignment
documents     the differences of two documents
judging       the verdict on a delivery with an expectation
"""

from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.differences import Comparison, listed
from retailops_sandbox.comparing.documents import NO_SETS, compare
from retailops_sandbox.comparing.judging import NOT_JSON, Answer, Judge, ResponseContract
from retailops_sandbox.comparing.node import NOTHING_KNOWN, Node, known_differences, settle
from retailops_sandbox.comparing.rules import may_wait

__all__ = [
    "NOTHING_KNOWN",
    "NOT_JSON",
    "NO_SETS",
    "Answer",
    "Comparison",
    "Judge",
    "Node",
    "ResponseContract",
    "align",
    "compare",
    "known_differences",
    "listed",
    "may_wait",
    "settle",
]
