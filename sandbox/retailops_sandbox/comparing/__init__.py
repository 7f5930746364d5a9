"""Comparing a response with its expectation, and the verdict on it.

values        JSON values: types, equality
matchers      what takes the place of equality, one record for each
rules         matchers by the paths where they apply
keys          hashes of items that compare without a difference
node          one place of an alignment of two documents
pairing       which item of one array answers to which of the other
aligning      two documents to a tree of nodes
differences   the tree to differences, notes and hints
documents     two documents to their differences
judging       a delivery and its expectation to a verdict
"""

from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.differences import Comparison, listed
from retailops_sandbox.comparing.documents import NO_SETS, compare
from retailops_sandbox.comparing.judging import Judge, ResponseContract
from retailops_sandbox.comparing.node import Node

__all__ = [
    "NO_SETS",
    "Comparison",
    "Judge",
    "Node",
    "ResponseContract",
    "align",
    "compare",
    "listed",
]
