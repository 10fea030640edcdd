"""The page of figures against the code."""

from __future__ import annotations

from benchmarks.zoo_table import PAGE, page

from glassnet.zoo import ZOO


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m benchmarks.zoo_table"


def test_every_network_is_on_the_page() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert [name for name in ZOO if f"| `{name}`" not in written] == []
