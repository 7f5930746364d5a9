"""Comparing a response with its expectation, and the verdict on it.

values        JSON values: types, equality
matchers      what takes the place of equality, one record for each
rules         matchers by the paths where they apply
keys          hashable keys: items with equal keys compare without a difference
node          one place of an alignment of two documents
pairing       which item of the actual array is compared with which expected one
aligning      the alignment of two documents, as a tree of nodes
differences   the differences, notes and hints of an alignment
comparison    the outcome: differences and notes
documents     the differences of two documents
volatile      which values of an answer will differ the next time, and rules that accept them then
response_contract  the part of a contract by which answers are judged
sources       where the sources of a contract part about an answer
statuses      which statuses an expectation accepts
judging       the verdict on a delivery with an expectation

Aligning is imported where something differs, and so is not offered here: most runs pass.
"""

from retailops_sandbox.comparing.comparison import Comparison
from retailops_sandbox.comparing.documents import NO_SETS, compare
from retailops_sandbox.comparing.judging import NOT_JSON, Answer, Judge
from retailops_sandbox.comparing.response_contract import ResponseContract
from retailops_sandbox.comparing.rules import may_wait

__all__ = [
    "NOT_JSON",
    "NO_SETS",
    "Answer",
    "Comparison",
    "Judge",
    "ResponseContract",
    "compare",
    "may_wait",
]
