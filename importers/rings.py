"""What every format asks of coordinates."""

FARTHEST = 1e9
"""No reference system has coordinates beyond this; larger ones are mistakes or attacks."""
