"""Measures the library against what stands in for it without it: `make bench`."""
