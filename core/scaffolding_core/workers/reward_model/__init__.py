"""Reward models: their scores checked, aggregated over steps and brought to one scale."""

__all__: list[str] = []
