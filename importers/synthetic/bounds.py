"""The box around buildings, grown as they come."""

from importers.synthetic.city import Building, Corner


class Bounds:
    """Lowest and highest easting, northing and height so far, in millimetres."""

    def __init__(self) -> None:
        self._low: Corner | None = None
        self._high: Corner | None = None

    def add(self, building: Building) -> None:
        """Grow to hold a building."""
        corners = [corner for part in building.parts for corner in part.corners]
        xs, ys, zs = zip(*corners, strict=True)
        low, high = self.corners() if self._low else ((min(xs), min(ys), min(zs)), corners[0])
        self._low = min(low[0], *xs), min(low[1], *ys), min(low[2], *zs)
        self._high = max(high[0], *xs), max(high[1], *ys), max(high[2], *zs)

    def corners(self) -> tuple[Corner, Corner]:
        """The two corners; the origin where nothing was added."""
        return self._low or (0, 0, 0), self._high or (0, 0, 0)
