"""Constructs that keep a table's data inside the network."""
