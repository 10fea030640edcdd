"""The drawing: folded where there is much, without overlaps, valid SVG, with the figures of the graph."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from glassnet.gates import Graph
from glassnet.glassbox import graph_of_formula, open_module, svg, to_json
from glassnet.glassbox.folding import folded
from glassnet.glassbox.layout import place
from glassnet.zoo import build

SVG = "{http://www.w3.org/2000/svg}"


def opened(name: str, shape: tuple[int, ...], **options: object) -> Graph:
    net = build(name, shape, 10, options, seed=0)
    found = open_module(net, torch.randn(1, *shape, generator=torch.Generator().manual_seed(0)), torch.tensor([3]))
    found.graph.backward()
    return found.graph


def words(text: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(text).iter(f"{SVG}text")]


def rectangles(text: str) -> list[tuple[float, float, float, float]]:
    found = []
    for each in ET.fromstring(text).iter(f"{SVG}rect"):
        x, y, width, height = (float(each.attrib[key]) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def test_a_formula_is_drawn_with_its_numbers() -> None:
    graph = graph_of_formula("(x + y) * z")
    graph.forward(x=-2, y=5, z=-4)
    graph.backward()
    drawn = svg(graph)
    shown = words(drawn)
    assert {"x", "y", "z", "add1", "multiply1", "-2", "5", "-4", "3", "-12", "∇ -4", "∇ 3", "∇ 1"} <= set(shown)
    assert len(rectangles(drawn)) == 5


@pytest.mark.parametrize(
    ("name", "shape", "boxes"),
    [
        ("lenet5", (1, 28, 28), 15),
        ("lenet5-1998", (1, 28, 28), 22),
        ("resnet20", (3, 32, 32), 26),
        ("googlenet", (3, 32, 32), 30),
    ],
)
def test_networks_are_folded_to_what_can_be_read_and_boxes_do_not_overlap(
    name: str, shape: tuple[int, ...], boxes: int
) -> None:
    graph = opened(name, shape, **({"width": 0.125} if name == "googlenet" else {}))
    drawn = svg(graph)
    places = rectangles(drawn)
    fronts = [r for r in places if not any((o[0] == r[0] - 4 and abs(o[1] - r[1] + 4) < 0.2) for o in places)]
    assert 5 < len(fronts) <= boxes
    for a, b in ((a, b) for i, a in enumerate(fronts) for b in fronts[:i]):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn).groups())  # type: ignore[union-attr]
    assert all(r[0] >= 0 and r[2] <= width and r[1] >= 0 and r[3] <= height for r in places)


def test_resnet_is_folded_by_its_blocks() -> None:
    boxes, edges = folded(opened("resnet20", (3, 32, 32)))
    blocks = [box.name for box in boxes if box.block]
    assert blocks == [f"group{group}.{block}" for group in (1, 2, 3) for block in (0, 1, 2)]
    assert ("group1.0", "group1.1") in {(edge.start, edge.end) for edge in edges}
    first = next(box for box in boxes if box.name == "group1.0")
    assert {leaf.name for leaf in first.leaves if leaf.kind == "parameter"} == {
        f"group1.0.{part}"
        for part in ("conv1.weight", "conv2.weight", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")
    }


class Interleaved(nn.Module):
    """Module a is used before and behind module b: as two boxes, each would stand before the other."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.b = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])

    def forward(self, x: Tensor) -> Tensor:
        return self.b[1](self.a[1](self.b[0](self.a[0](x))))  # type: ignore[no-any-return]


def test_a_folding_never_makes_a_circle() -> None:
    graph = open_module(Interleaved(), torch.randn(1, 3)).graph
    boxes, edges = folded(graph, most=1)
    order = {box.name: number for number, box in enumerate(boxes)}
    assert all(order[edge.start] < order[edge.end] for edge in edges)
    assert sum(len(box.nodes) for box in boxes if box.nodes[0].kind == "gate") == 4


def test_gradients_that_are_nothing_or_not_finite_are_drawn_all_the_same() -> None:
    graph = graph_of_formula("log(x) * y")
    graph.forward(x=0, y=1)
    graph.backward()
    shown = words(svg(graph))
    assert "-inf" in shown
    before = graph_of_formula("x * y")
    before.forward(x=1, y=2)
    assert not any("∇" in word for word in words(svg(before)))


def test_names_are_escaped_and_colours_left_to_the_page() -> None:
    graph = graph_of_formula("x + 1")
    graph.forward(x=1)
    drawn = svg(graph, heading='<script>"&', standalone=False)
    ET.fromstring(drawn)
    assert "<script>" not in drawn
    assert "<style>" not in drawn
    assert "var(--plot-blue" in drawn
    assert "prefers-color-scheme: dark" in svg(graph)
    assert not re.search(r'(fill|stroke)="#', drawn)


@settings(deadline=None)
@given(st.data())
def test_boxes_of_any_graph_stand_apart_and_in_order(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    names = [f"n{number}" for number in range(count)]
    edges = [
        (names[start], names[end])
        for end in range(1, count)
        for start in sorted(data.draw(st.sets(st.integers(0, end - 1), max_size=3)))
    ]
    sizes = {name: data.draw(st.floats(10, 300)) for name in names}
    placed = place(names, edges, sizes, 20)
    assert all(placed.rank[start] < placed.rank[end] for start, end in edges)
    for row in set(placed.rank.values()):
        inside = sorted((placed.across[name], sizes[name]) for name in names if placed.rank[name] == row)
        assert all(b - a >= (p + q) / 2 + 20 - 1e-6 for (a, p), (b, q) in pairwise(inside))
    assert all(
        placed.across[n] - sizes[n] / 2 >= -1e-6 and placed.across[n] + sizes[n] / 2 <= placed.breadth + 1e-6
        for n in names
    )
    for number, bends in placed.bends.items():
        start, end = edges[number]
        assert [row for row, _ in bends] == list(range(placed.rank[start] + 1, placed.rank[end]))


def test_json_holds_every_node_with_numbers_where_there_are_few() -> None:
    graph = opened("lenet5", (1, 28, 28))
    about = json.loads(json.dumps(to_json(graph), allow_nan=False))
    nodes = {node["name"]: node for node in about["nodes"]}
    assert about["output"] == "loss"
    assert list(nodes) == [node.name for node in graph.nodes]
    conv = nodes["block1.0"]
    assert conv["inputs"] == ["x", "block1.0.weight", "block1.0.bias"]
    assert conv["block"] == "block1"
    assert conv["shape"] == [1, 6, 28, 28]
    assert "numbers" not in conv["value"]
    assert conv["formula"] == "y = x ⋆ w + b"
    assert len(conv["backward"]) == 3
    assert nodes["block1.0.bias"]["gradient"]["numbers"] == graph.gradients["block1.0.bias"].tolist()
    assert conv["gradient"]["norm"] == pytest.approx(math.sqrt((graph["block1.0"].gradient ** 2).sum()))  # type: ignore[operator]
    assert nodes["target"]["gradient"] is None
    infinite = graph_of_formula("1 / x")
    infinite.forward(x=0)
    assert json.loads(json.dumps(to_json(infinite), allow_nan=False))["nodes"][-1]["value"]["max"] is None
