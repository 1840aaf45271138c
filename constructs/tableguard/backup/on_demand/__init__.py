"""On-demand backups in the table's own account."""
