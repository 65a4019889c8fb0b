"""Tables for notebooks."""

from __future__ import annotations

from madnis_py.notebook import html_table


def test_every_cell_is_text_whatever_it_holds() -> None:
    table = html_table("a < b", [("<script>", 1), ("x & y", 2.5)], header=("name", "value"))
    assert "<caption>a &lt; b</caption>" in table
    assert "<td>&lt;script&gt;</td><td>1</td>" in table
    assert "<script>" not in table
    assert table.count("<th>") == 2
    assert "<thead>" not in html_table("", [("a",)])
