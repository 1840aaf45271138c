"""Constructs that hold for whole accounts and organizations."""
