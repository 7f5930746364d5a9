"""What a process keeps of its latest work."""

from __future__ import annotations

from retailops_sandbox.web.shell.recent import Recent


def test_the_entry_that_was_set_longest_ago_is_forgotten():
    recent: Recent[int] = Recent(2)
    recent.update({"a": 1, "b": 2})
    recent["a"] = 3
    recent["c"] = 4
    assert dict(recent) == {"a": 3, "c": 4}
