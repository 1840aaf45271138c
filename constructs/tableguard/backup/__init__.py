"""Backups of tables in an account that the tables' own account cannot reach, and restores that are proved."""
