"""The heart: what a response departs from, and the verdict on it.

assignment   pairing by numbers alone: best assignment, longest common subsequence
keys         equal items by hash
node         the tree that an alignment is
pairing      which item of one array answers to which of the other
aligning     two documents as such a tree
telling      the tree as differences, notes and hints
applying     differences put right
judging      a delivery and its expectation to a verdict
"""

from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.applying import apply
from retailops_sandbox.comparing.differences import Comparison, tell
from retailops_sandbox.comparing.documents import NO_SETS, compare
from retailops_sandbox.comparing.judging import Judge, ResponseContract, judge
from retailops_sandbox.comparing.node import Node

__all__ = [
    "NO_SETS",
    "Comparison",
    "Judge",
    "Node",
    "ResponseContract",
    "align",
    "apply",
    "compare",
    "judge",
    "tell",
]
