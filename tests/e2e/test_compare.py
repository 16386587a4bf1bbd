"""Compare both cities: chart, table, and the same numbers as files."""

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from playwright.sync_api import Download, Locator, expect

from tests.e2e.conftest import Viewer
from tests.e2e.probing import matched, service

parquet: Any = pyarrow.parquet  # it ships no types

PANEL = "[data-testid=compare]"
STATISTICS = "/collections/buildings/statistics"


def measure(panel: Locator, name: str, city: str) -> Locator:
    return panel.locator(f"[data-measure={name}] [data-side={city}]")


def rows_of(download: Download) -> list[dict[str, str]]:
    text = Path(download.path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_cities_side_by_side_by_a_number(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Compare").click()
    panel = page.locator(PANEL)
    panel.get_by_label("Attribute").select_option("volume_m3")
    expect(panel.locator("[data-attribute=volume_m3]")).to_be_visible()
    low = page.get_by_label("Height: From")
    low.fill("8")
    low.press("Enter")

    answer = service(
        viewer,
        STATISTICS,
        groupby="city",
        aggregate="count,sum(volume_m3),median(volume_m3)",
        filter="height_m >= 8",
    )
    for group in answer["groups"]:
        city = group["city"]
        expect(measure(panel, "count", city)).to_have_text(f"{group['count']:,}")
        expect(measure(panel, "sum", city)).to_have_text(f"{group['sum(volume_m3)']:,.0f}")
        expect(measure(panel, "median", city)).to_have_text(f"{group['median(volume_m3)']:,.0f}")
    cities = {place["city"] for place in service(viewer, "/datasets")["datasets"]}
    expect(panel.locator("figure")).to_have_count(len(cities))
    expect(panel.locator("figure").first).to_contain_text("Helsinki")
    expect(panel.locator("h3")).to_contain_text("m³")
    assert panel.locator("figure rect.bar").count() > 10
    page.wait_for_function("location.hash.includes('stat=volume_m3')")
    assert "tool=compare" in page.url
    assert viewer.problems == []


def test_cities_side_by_side_by_a_term(viewer: Viewer) -> None:
    viewer.open("tool=compare&stat=roof_type")
    panel = viewer.page.locator(PANEL)
    answer = service(viewer, STATISTICS, groupby="city,roof_type", aggregate="count")
    gabled = {group["city"]: group["count"] for group in answer["groups"] if group["roof_type"] == "gabled"}
    for city, count in gabled.items():
        expect(measure(panel, "gabled", city)).to_contain_text(f"{count:,} (")
    expect(panel.locator(".term").filter(has_text="Gabled").locator("em")).to_have_count(len(gabled))
    assert viewer.problems == []


def test_downloads_are_what_is_shown(viewer: Viewer) -> None:
    viewer.open("tool=compare&in.height_m=10..")
    page = viewer.page
    panel = page.locator(PANEL)
    with page.expect_download() as given:
        panel.get_by_role("button", name="Table (CSV)").click()
    table = {row["height_m (m)"]: row for row in rows_of(given.value)}
    counted = service(viewer, STATISTICS, groupby="city", aggregate="avg(height_m)", filter="height_m >= 10")
    for group in counted["groups"]:
        assert float(table["mean"][group["city"].capitalize()]) == pytest.approx(group["avg(height_m)"])

    with page.expect_download() as given:
        panel.get_by_role("link", name="buildings (CSV)").click()
    buildings = rows_of(given.value)
    assert len(buildings) == matched(viewer, "height_m >= 10")
    assert len({row["id"] for row in buildings}) == len(buildings)
    assert all(float(row["height_m"]) >= 10 for row in buildings)

    with page.expect_download() as given:
        panel.get_by_role("link", name="buildings (GeoParquet)").click()
    assert given.value.suggested_filename == "buildings.parquet"
    columns = parquet.read_table(given.value.path(), columns=["id", "height_m"]).to_pydict()
    assert set(columns["id"]) == {row["id"] for row in buildings}
    assert min(columns["height_m"]) >= 10
    assert viewer.problems == []


def test_keyboard_opens_and_closes(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    button = page.get_by_role("button", name="Compare")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(PANEL)).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(PANEL)).to_have_count(0)
    expect(button).to_be_focused()


def test_empty_result_is_said(viewer: Viewer) -> None:
    viewer.open("tool=compare&cql2=height_m>5000")
    panel = viewer.page.locator(PANEL)
    expect(panel).to_contain_text("No building matches")
    expect(panel.get_by_role("link")).to_have_count(0)
    assert viewer.problems == []
