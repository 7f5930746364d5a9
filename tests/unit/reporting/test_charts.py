"""Charts say what the numbers say."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.reporting.render import charts

sent = st.lists(
    st.tuples(
        st.datetimes().map(lambda at: at.strftime("%Y").zfill(4) + at.strftime("-%m-%dT%H:%M:%S.000Z")),
        st.floats(0, 1e7) | st.sampled_from((-1.0, 1e308)),
        st.sampled_from(("passed", "failed", "not judged")),
    ),
    min_size=1,
    max_size=40,
)


@given(sent)
def test_each_delivery_is_in_the_field_and_in_the_distribution(sent: list[tuple[str, float, str]]) -> None:
    chart = charts.latency(sent)
    assert chart is not None
    assert sum(each.count for each in chart.bins) == chart.count == len(sent)
    assert set(chart.marks) == {verdict for _, _, verdict in sent}
    for path in chart.marks.values():
        points = re.findall(r"M([-\d.e]+) ([-\d.e]+)h0", path)
        assert points
        for x, y in points:
            assert 0 <= float(x) <= charts.WIDTH
            assert 0 <= float(y) <= charts.HEIGHT
    for each in chart.bins:
        assert 0 <= each.y <= charts.HEIGHT
        assert 0 < each.width <= charts.BINS_WIDTH
    assert [value for _, value in chart.quantiles] == sorted(value for _, value in chart.quantiles)
    assert chart.first == min(at for at, _, _ in sent)


def test_quantiles_are_of_what_was_measured() -> None:
    chart = charts.latency([(f"2024-05-01T12:00:00.{n:03}Z", float(n), "passed") for n in range(1, 101)])
    assert chart is not None
    assert chart.quantiles == [("50 %", 50.0), ("90 %", 90.0), ("99 %", 99.0), ("longest", 100.0)]
    assert [tick.label for tick in chart.ticks] == ["1 ms", "10 ms", "100 ms"]
    assert charts.latency([]) is None
    assert charts.latency([("2024-05-01T25:00:60.000Z", 1.0, "passed")]) is None


def test_a_slower_delivery_stands_higher_and_a_later_one_further_right() -> None:
    chart = charts.latency([("2024-05-01T12:00:00Z", 1, "a"), ("2024-05-01T12:00:09Z", 900, "b")])
    assert chart is not None
    assert chart.marks == {"a": "M0 160h0", "b": "M720 2.4h0"}


def test_runs_are_bars_of_their_verdicts() -> None:
    one, other = charts.verdicts([("a", [("failed", 1), ("passed", 3)]), ("b", [("passed", 8)])])
    assert [(bar.verdict, bar.count) for bar in one.bars] == [("passed", 3), ("failed", 1)]
    assert one.words == "1 failed, 3 passed"
    assert other.bars[0].height == charts.RUNS_HEIGHT
    assert sum(bar.height for bar in one.bars) == charts.RUNS_HEIGHT / 2
    assert other.x > one.x
    assert charts.verdicts([]) == charts.verdicts([("a", [])]) == []
