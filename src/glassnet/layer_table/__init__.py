"""The table of a network's layers: what goes out, what it costs, what it sees; for any module, fitting or not."""

from glassnet.layer_table.table import Failure, Layer, LayerTable, layer_table

__all__ = ["Failure", "Layer", "LayerTable", "layer_table"]
