"""Backups of tables by AWS Backup."""
