"""Constructs that share tables."""
