"""Constructs of an organization's management account: SCPs, RCPs, and the analyzer of what is shared."""
