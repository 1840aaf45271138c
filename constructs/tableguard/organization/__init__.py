"""Constructs for an organization's accounts: emergency roles, SCPs, RCPs, boundaries and Access Analyzer."""
