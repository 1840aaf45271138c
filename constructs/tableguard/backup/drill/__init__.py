"""Drills: proofs on a schedule that a backup comes back whole."""
