"""Exports of tables into a bucket of their own account, and on to another account."""
