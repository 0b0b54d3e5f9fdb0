"""Platforms of others, by the standards that they speak."""

__all__: list[str] = []
