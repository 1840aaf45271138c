"""Constructs for an organization's accounts: who may step in, and what nobody may do."""
