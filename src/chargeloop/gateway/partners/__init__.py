"""Platforms of others, by the standards that they speak."""
