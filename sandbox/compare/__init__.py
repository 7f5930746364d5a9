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

from sandbox.compare.aligning import align
from sandbox.compare.applying import apply
from sandbox.compare.comparing import NO_SETS, compare
from sandbox.compare.judging import Judge, ResponseContract, judge
from sandbox.compare.node import Node
from sandbox.compare.telling import Comparison, tell

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
