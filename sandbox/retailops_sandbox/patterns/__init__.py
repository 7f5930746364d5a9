"""Regular expressions from outside, in Python's syntax and with its meaning, which cannot hold the program.

bounds     the bounds on a pattern, checked before any engine sees it
spelling   a pattern in the syntax of RE2, where it means the same there
searching  which engine searches: RE2, in linear time, or Python's `re` in a process of its own
process    the process that searches with Python's `re`, and its deadline
worker     the program of that process
"""

from retailops_sandbox.patterns.bounds import PatternError, PatternTooLarge, check_bounds
from retailops_sandbox.patterns.searching import LONGEST_SEARCH, Budget, Search

__all__ = ["LONGEST_SEARCH", "Budget", "PatternError", "PatternTooLarge", "Search", "check_bounds"]
