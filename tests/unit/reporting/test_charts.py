"""Charts say what the numbers say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.reporting.render import charts
from retailops_sandbox.reporting.render.charts import Sent

sent = st.lists(
    st.builds(
        Sent,
        st.datetimes().map(lambda at: at.strftime("%Y").zfill(4) + at.strftime("-%m-%dT%H:%M:%S.000Z")),
        st.floats(0, 1e7) | st.sampled_from((-1.0, 1e308)),
        st.sampled_from(("passed", "failed", "not judged")),
        st.integers(1, 999).map(str),
    ),
    min_size=1,
    max_size=40,
)


@given(sent)
def test_each_delivery_is_in_the_field_and_in_the_distribution(sent: list[Sent]) -> None:
    chart = charts.latency(sent)
    assert chart is not None
    assert sum(each.count for each in chart.bins) == chart.count == len(sent)
    assert chart.verdicts == sorted({each.verdict for each in sent})
    assert {each.id for each in chart.dots} <= {each.id for each in sent}
    assert len({(each.x, each.y) for each in chart.dots}) == len(chart.dots)
    for dot in chart.dots:
        assert 0 <= dot.x <= 100
        assert 0 <= dot.y <= charts.HEIGHT
    for each in chart.bins:
        assert 0 <= each.y <= charts.HEIGHT
        assert 0 < each.width <= charts.BINS_WIDTH
    assert [value for _, value in chart.quantiles] == sorted(value for _, value in chart.quantiles)
    assert chart.first == min(each.at for each in sent)


def test_quantiles_are_of_what_was_measured() -> None:
    chart = charts.latency([Sent(f"2024-05-01T12:00:00.{n:03}Z", n, "passed", "") for n in range(1, 101)])
    assert chart is not None
    assert chart.quantiles == [("50 %", 50.0), ("90 %", 90.0), ("99 %", 99.0), ("longest", 100.0)]
    assert [tick.label for tick in chart.ticks] == ["1 ms", "10 ms", "100 ms"]
    assert charts.latency([]) is None
    assert charts.latency([Sent("2024-05-01T25:00:60.000Z", 1.0, "passed", "")]) is None


def test_a_slower_delivery_stands_higher_and_a_later_one_further_right() -> None:
    one, other = Sent("2024-05-01T12:00:00Z", 1, "a", "1"), Sent("2024-05-01T12:00:09Z", 900, "b", "2")
    covered = one._replace(verdict="c", id="0")
    chart = charts.latency([other, one, covered])
    assert chart is not None
    assert [(each.x, each.y, each.id) for each in chart.dots] == [(0, 160, "1"), (100, 2.4, "2")]


def test_runs_are_bars_of_their_verdicts() -> None:
    one, other = charts.verdicts([("a", [("failed", 1), ("passed", 3)]), ("b", [("passed", 8)])])
    assert [(bar.verdict, bar.count) for bar in one.bars] == [("passed", 3), ("failed", 1)]
    assert one.words == "1 failed, 3 passed"
    assert other.bars[0].height == charts.RUNS_HEIGHT
    assert sum(bar.height for bar in one.bars) == charts.RUNS_HEIGHT / 2
    assert other.x > one.x
    assert charts.verdicts([]) == charts.verdicts([("a", [])]) == []
