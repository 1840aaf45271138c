"""Rebuilding a table from a backup."""
