"""Build hook: an archive without the built viewer would serve no page."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RequireViewer(BuildHookInterface[Any]):
    """Refuses to build an archive before ``make setup`` has built the viewer."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install needs no viewer yet."""
        if version != "editable" and not (Path(self.root) / "api/viewer/dist/index.html").is_file():
            raise RuntimeError("api/viewer/dist is missing; 'make setup' builds the viewer")
