"""Measurements that take longer than tests may. Each is a module to be run: ``python -m benchmarks.NAME``."""
