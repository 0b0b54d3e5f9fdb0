"""Other platforms: one room for each way in which they speak."""

__all__: list[str] = []
