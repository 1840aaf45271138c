"""Constructs that fence tables in: where data may be reached from, and by whom."""
