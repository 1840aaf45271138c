"""Attaches policies to tables, streams and keys that other code may still change: docs/attaching-policies.md."""
