"""Recognises CityGML."""

from pathlib import Path

from importers.port import Model


class CityGMLReader:
    """Reads city models in GML."""

    name = "CityGML"

    def sniff(self, path: Path) -> bool:
        """Whether the file is XML of any kind; ``open`` says what it is if no city model."""
        with path.open("rb") as file:
            head = file.read(64)
        for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
            head = head.removeprefix(mark)
        return head.replace(b"\0", b"").lstrip().startswith(b"<")

    def open(self, path: Path) -> Model:
        """Read the head of the file; UnreadableFile where it is no CityModel."""
        # Here, as lxml takes 5 MB, which only those who read XML have to give.
        from importers.citygml import CityGMLModel

        return CityGMLModel(path)
