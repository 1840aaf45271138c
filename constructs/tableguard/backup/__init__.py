"""Backups that nobody can destroy: exports, vaults, restores and drills."""
