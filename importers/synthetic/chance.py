"""Chance that depends on nothing but a seed and a place: the same city at any size and order."""

from collections.abc import Mapping
from random import Random
from typing import Final

_MASK: Final = (1 << 64) - 1


def mix(*keys: int) -> int:
    """64 well-mixed bits from integers (the finaliser of splitmix64 over each key)."""
    state = 0
    for key in keys:
        state = (state + (key & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def fraction(*keys: int) -> float:
    """A number from 0 up to 1 that belongs to the keys."""
    return mix(*keys) / 2.0**64


def stream(*keys: int) -> Random:
    """A stream of random numbers that belongs to the keys."""
    return Random(mix(*keys))  # noqa: S311 - a city is laid out, nothing is kept secret


def pick(chance: float, weights: Mapping[str, float]) -> str:
    """The key on which ``chance`` (0 to 1) falls when each has its weight."""
    left = chance * sum(weights.values())
    for key, weight in weights.items():
        left -= weight
        if left < 0:
            return key
    return next(reversed(list(weights)))
