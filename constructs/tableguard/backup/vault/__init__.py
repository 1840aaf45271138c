"""Vaults in an account of their own, which seal what arrives there."""
