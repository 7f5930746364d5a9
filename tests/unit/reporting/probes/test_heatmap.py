"""reporting/probes/heatmap.py: the rows and columns of what was done to fields."""

from __future__ import annotations

from retailops_sandbox.probe.report import Cell
from retailops_sandbox.reporting.probes.heatmap import glyph, heat_map, said
from tests.support.probe_reports import clean_report, probe_report


def test_fields_are_rows_and_what_was_done_to_them_columns():
    found = heat_map(probe_report())
    assert [each.what for each in found.columns] == ["null", "missing", "negative"]
    order, payment = found.rows
    assert (order.field, order.name, order.worst) == ("/data/order/id", "order.id", "to see")
    assert [cell and glyph(cell) for cell in order.cells] == ["✓", "✓", "?"]
    assert (payment.field, payment.worst) == ("/data/order/channel_payment", "did not")
    assert [cell and glyph(cell) for cell in payment.cells] == ["5xx", "✓", None]


def test_the_columns_are_those_of_mutations_in_their_order_and_then_the_others():
    whats = ["wrong", "twice", "missing", "null"]
    cells = tuple(Cell(field="/a", what=each, outcome="held") for each in whats)
    columns = [each.what for each in heat_map(probe_report(cells=cells)).columns]
    assert columns == ["null", "missing", "twice", "wrong"]


def test_a_cell_says_all_that_its_colour_says():
    cells = [cell for row in heat_map(probe_report()).rows for cell in row.cells if cell]
    assert said(cells[0]) == "/data/order/id: null: held"
    assert said(cells[-2]) == "/data/order/channel_payment: null: did not, 5xx"


def test_fields_whose_last_members_are_alike_have_their_pointers_as_names():
    fields = ("/data/order/id", "/order/id", "/data/items", "/data/items/0", "/data/items/0/sku", "")
    cells = tuple(Cell(field=each, what="null", outcome="held") for each in fields)
    names = [row.name for row in heat_map(probe_report(cells=cells)).rows]
    assert names == [
        "/data/order/id",
        "/order/id",
        "data.items",
        "data.items[0]",
        "items[0].sku",
        "the request",
    ]


def test_a_probe_without_fields_has_no_rows():
    assert heat_map(clean_report()).rows == []
