"""The setting of the viewer's base map: templates that are taken, and those that stop the start."""

import pytest

from twin import base_map, doctor, settings
from twin.errors import ServiceError

XYZ = "https://tiles.example/{z}/{x}/{y}.png"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (XYZ, [(None, XYZ)]),
        ("http://127.0.0.1:8080/{z}/{x}/{-y}.png", [(None, "http://127.0.0.1:8080/{z}/{x}/{-y}.png")]),
        (
            "https://a.example/GoogleMapsCompatible/{TileMatrix}/{TileRow}/{TileCol}.png",
            [(None, "https://a.example/GoogleMapsCompatible/{z}/{y}/{x}.png")],
        ),
        (f" Helsinki={XYZ}\n tallinn=https://b.example/{{z}}/{{x}}/{{y}}?key=a=b {XYZ}",
         [("helsinki", XYZ), ("tallinn", "https://b.example/{z}/{x}/{y}?key=a=b"), (None, XYZ)]),
    ],
)  # fmt: skip
def test_templates_are_read(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert [(one.city, one.url) for one in base_map.read(text)] == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no template"),
        ("tiles.example/{z}/{x}/{y}.png", "no http or https address"),
        ("javascript:alert({x}{y}{z})", "no http or https address"),
        ("https:///{z}/{x}/{y}.png", "no http or https address"),
        ("https://tiles.example/{z}/{x}.png", "each once"),
        ("https://tiles.example/{z}/{x}/{y}/{-y}.png", "each once"),
        ("https://tiles.example/{z}/{TileMatrix}/{x}/{y}.png", "each once"),
        ("https://{s}.example/{z}/{x}/{y}.png", "leaves its host open"),
        ("https://tiles.example/{Style}/{z}/{x}/{y}.png", "{Style} of .* write its value out"),
        ("https://me:secret@tiles.example/{z}/{x}/{y}.png", "name or password"),
        (f"{XYZ} {XYZ}", "two templates are for all cities"),
        (f"tallinn={XYZ} Tallinn={XYZ}", "two templates are for tallinn"),
    ],
)
def test_what_cannot_be_shown_ends_the_start(text: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_VIEWER_BASE_MAP", text)
    with pytest.raises(ServiceError, match=f"TWIN_VIEWER_BASE_MAP is .*{told}"):
        settings.load()


def test_doctor_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_VIEWER_BASE_MAP", XYZ)
    values = {name: value for name, value, _ in doctor.list_settings(settings.load())}
    assert values["TWIN_VIEWER_BASE_MAP"] == XYZ
    assert values["TWIN_VIEWER_BASE_MAP_ZOOM"] == "18"
