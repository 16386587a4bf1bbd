"""The documentation names what exists, and nothing else."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
import yaml

from tests.fixtures import ROOT
from twin.model.attributes import BUILDING_PART, CATALOGUE, ROOF_SURFACE, SURFACE, Origin
from twin.settings import Settings

PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


@cache
def macros() -> ModuleType:
    return _module("docs_macros", ROOT / "docs" / "macros.py")


def _module(name: str, path: Path) -> ModuleType:
    """A module that no package holds."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built documentation; a broken link or an unknown name of a macro fails the build."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def _page(site: Path, name: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", (site / "reference" / f"{name}.html").read_text()))


def test_every_setting_is_named(site: Path) -> None:
    page = _page(site, "settings")
    assert [name for name in Settings.model_fields if f"TWIN_{name.upper()}" not in page] == []


def test_every_attribute_is_named(site: Path) -> None:
    page = _page(site, "attributes")
    assert [a.name for a in (*CATALOGUE, *BUILDING_PART, *ROOF_SURFACE) if a.name not in page] == []


def test_every_command_is_named(site: Path) -> None:
    page = _page(site, "commands")
    names = [" ".join(names) for names, _ in macros().each_command()]
    assert "twin db start" in names
    assert [name for name in names if name not in page] == []


def test_every_route_is_named(site: Path) -> None:
    page = _page(site, "addresses")
    paths = [route.path for route in macros().each_route()]
    assert "/collections/{collection}/items" in paths
    assert [path for path in paths if path not in page] == []


def test_no_page_fetches_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r"""<(?:script|img|link rel="(?:stylesheet|preconnect)")[^>]*(?:src|href)="?https?://"""
    )
    assert [str(page) for page in site.rglob("*.html") if fetched.search(page.read_text())] == []


def _lines_of_code() -> Iterator[tuple[str, str]]:
    """Name of the page and command line, for each line of a shell block; continued lines are joined."""
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                yield page.name, line.strip()


def _called(program: str) -> list[Any]:
    lines = [(page, shlex.split(line, comments=True)) for page, line in _lines_of_code()]
    found = [(page, words) for page, words in lines if words and Path(words[0]).name == program]
    assert found
    return [pytest.param(words[1:], id=f"{page}: {' '.join(words)}") for page, words in found]


@pytest.mark.parametrize("words", _called("twin"))
def test_shown_commands_exist_with_their_options(words: list[str]) -> None:
    commands = {names[1:]: command for names, command in macros().each_command()}
    depth = 1 if (words[0],) in commands else 2
    command = commands[tuple(words[:depth])]
    # Parses arguments and options, and runs nothing.
    command.make_context("twin", list(words[depth:]), resilient_parsing=False)


@pytest.mark.parametrize("words", _called("make"))
def test_shown_targets_exist(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [word for word in words if "=" not in word]
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("words", _called("curl"))
def test_shown_addresses_are_served(words: list[str]) -> None:
    address = next(word for word in words if word.startswith("http://"))
    path = address.removeprefix("http://127.0.0.1:8000").split("?")[0]
    patterns = [re.sub(r"\{[^}]*\}", "[^/]+", route.path) for route in macros().each_route()]
    assert any(re.fullmatch(pattern, path) for pattern in patterns)


def test_image_gets_what_it_copies_and_runs_what_exists() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    started = re.findall(r'^CMD \["(\w+)"', dockerfile, re.MULTILINE)
    commands = {" ".join(names[1:]) for names, _ in macros().each_command()}
    assert started
    assert set(started) <= commands


def test_compose_file_sets_settings_that_exist() -> None:
    compose = cast("dict[str, Any]", yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text()))
    names = {f"TWIN_{name.upper()}" for name in Settings.model_fields}
    assert set(compose["services"]["api"]["environment"]) <= names
    assert compose["services"]["api"]["read_only"] is True


def test_every_computed_attribute_has_its_page(site: Path) -> None:
    """Definition, figure, accuracy, limits and words, led to by the page of its group."""
    every = dict.fromkeys((*CATALOGUE, *SURFACE, *ROOF_SURFACE))
    computed = [attribute for attribute in every if attribute.origin is Origin.COMPUTED]
    groups = [page.read_text() for page in (site / "reference" / "measures").iterdir()]
    folder = site / "reference" / "attributes"
    for attribute in computed:
        name = macros().page_name(attribute)
        assert any(f'href="../attributes/{name}.html"' in group for group in groups), name
        page = (folder / f"{name}.html").read_text()
        assert "<h1 id=" in page
        image = re.search(r'<img [^>]*src="([^"]*/measures/[^"]+)"', page)
        assert image, name
        assert (folder / image[1]).resolve().is_file(), image[1]
        told = unescape(re.sub(r"<[^>]+>", "", page))
        assert "Accuracy shown: " in told
        assert "Known limits: " in told
        assert [words for words in (*attribute.label, *attribute.meaning) if words not in told] == []
    assert len(list(folder.iterdir())) == len(computed)


def test_figures_are_those_that_the_script_draws() -> None:
    script = _module("figures", ROOT / "scripts" / "figures.py")
    drawn = {f"{name}.svg": script.document(name, draw()) for name, draw in script.FIGURES.items()}
    assert {path.name: path.read_text() for path in script.FOLDER.iterdir()} == drawn
