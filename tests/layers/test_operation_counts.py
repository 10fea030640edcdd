"""Requirement L13: what a 1×1 reduction before a 5×5 convolution saves, as the layer table counts it."""

from __future__ import annotations

from torch import nn

from glassnet.layer_table import layer_table


def test_bottleneck_saves_operations():
    maps = (480, 14, 14)
    direct = layer_table(nn.Conv2d(480, 48, 5, padding=2), maps)
    reduced = layer_table(nn.Sequential(nn.Conv2d(480, 16, 1), nn.Conv2d(16, 48, 5, padding=2)), maps)
    assert direct.rows[0].output == reduced.rows[-1].output == (48, 14, 14)
    assert direct.multiply_adds == 14 * 14 * 48 * 5 * 5 * 480 == 112_896_000
    assert [row.multiply_adds for row in reduced.rows] == [1_505_280, 3_763_200]
    assert reduced.multiply_adds == 5_268_480
    millions = [f"{count / 1e6:.1f}" for count in (direct.multiply_adds, 1_505_280, 3_763_200, reduced.multiply_adds)]
    assert millions == ["112.9", "1.5", "3.8", "5.3"]
