"""The generated pages follow the code, and say everything that it declares."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from setia.customers.traits import TRAITS
from setia.facts import FACTS
from setia.kernel.errors import SetiaError
from setia.settings import Settings
from setia.sources.files import formats
from setia.sources.files.bridge import REASONS
from setia.sources.files.formats import LAYOUTS, SETS, order_log
from setia.sources.files.layout import Together

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as the code has them now."""
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, "-m", "docs.generate", "--into", folder], cwd=ROOT, check=True)
    return folder


def test_pages_are_up_to_date(fresh: Path) -> None:
    made = {path.relative_to(fresh): path.read_text(encoding="utf-8") for path in fresh.rglob("*") if path.is_file()}
    assert len(made) >= 10
    stale = [str(name) for name, text in made.items()
             if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != text]  # fmt: skip
    assert not stale, f"run `make docs` and commit what changes: {', '.join(stale)}"
    kept = {path.relative_to(DOCS) for path in (DOCS / "reference").iterdir()}
    assert kept <= set(made), "a page under docs/reference that nothing generates"


def errors() -> set[type[SetiaError]]:
    """Every error class that stands in the source, found by the files and not by the generator."""
    for file in (ROOT / "src" / "setia").rglob("*.py"):
        if "migrations" not in file.parts and "Error" in file.read_text(encoding="utf-8"):
            name = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
            importlib.import_module(name.removesuffix(".__init__"))

    def below(error: type[SetiaError]) -> set[type[SetiaError]]:
        own = {child for child in error.__subclasses__() if child.__module__.startswith("setia.")}
        return own.union(*map(below, own))

    return below(SetiaError)


def test_every_error_is_listed_under_a_code_of_its_own() -> None:
    found = errors()
    assert len(found) > 30
    page, codes = read("errors.md"), Counter(error.code for error in found)
    assert [code for code, times in codes.items() if times > 1] == []
    assert [error.__name__ for error in found if "code" not in vars(error)] == []
    assert [error.code for error in found if f"## `{error.code}`\n" not in page] == []
    assert [error.code for error in found if error.template() not in page] == []


def test_every_setting_is_explained() -> None:
    page = read("settings.md")
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            assert field.description
            assert field.description in page
            continue
        explained(page, section, model)


def explained(page: str, section: str, model: type[BaseModel]) -> None:
    for key, setting in model.model_fields.items():
        if isinstance(setting.annotation, type) and issubclass(setting.annotation, BaseModel):
            assert f"## [{section}.{key}]" in page
            explained(page, f"{section}.{key}", setting.annotation)
            continue
        assert setting.description, f"[{section}] {key} has no description"
        variable = f"`SETIA_{section}__{key}`".replace(".", "__").upper()
        (row,) = [line for line in page.splitlines() if variable in line]
        assert setting.description in row


def test_every_column_and_trait_is_explained() -> None:
    facts, traits = read("facts.md"), read("traits.md")
    for table in FACTS.values():
        part = facts.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        assert [field.name for field in table.fields if f"| `{field.name}` |" not in part] == []
    assert [name for name in TRAITS if f"| `{name}` |" not in traits] == []


def test_every_format_is_listed_with_every_column_it_knows() -> None:
    page = read("formats.md")
    folders = [folder.name for folder in Path(formats.__path__[0]).iterdir() if (folder / "__init__.py").is_file()]
    assert len(folders) > 15
    assert [name for name in folders if f"\n## {name}\n" not in page] == []
    for layout in (*LAYOUTS, order_log.LAYOUT, *SETS):
        part = page.split(f"\n### {layout.name}\n")[1].split("\n##")[0]
        tables = layout.layouts.values() if isinstance(layout, Together) else (layout,)
        for role, known in [each for table in tables for each in table.roles.items()]:
            if not re.fullmatch(r"item_\d\d?", role):  # of the columns item_1 to item_100 the ends are shown
                assert f"\n| `{role}` |" in part, f"{layout.name}: {role}"
                assert [header for header in known.headers if f"`{header}`" not in part] == []
        assert set(re.findall(r"facts\.md#(\w+)", part)) <= FACTS.keys()
        assert layout.stated is None or layout.stated.name in part


def test_the_pages_for_owners_name_every_system_and_every_line_of_the_bridge() -> None:
    importing = (DOCS / "how-to" / "import-your-orders.md").read_text(encoding="utf-8")
    systems = {layout.name.split(":")[0] for layout in (*LAYOUTS, *SETS)}
    assert [name for name in systems if name not in importing] == []
    differing = (DOCS / "how-to" / "why-figures-differ.md").read_text(encoding="utf-8")
    assert [reason for reason in REASONS.values() if f"\n| {reason} |" not in differing] == []


def test_the_schema_of_programmes_takes_the_playbooks() -> None:
    schema = json.loads(read("programme.schema.json"))
    for file in (ROOT / "src" / "setia" / "programmes" / "journeys" / "playbooks").glob("*.yaml"):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert set(schema["required"]) <= set(document) <= set(schema["properties"])
    parts = [schema, *schema["$defs"].values()]
    assert [name for part in parts for name, field in part["properties"].items() if "description" not in field] == []


def test_links_lead_somewhere() -> None:
    broken = []
    for page in DOCS.rglob("*.md"):
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            if path.startswith("http"):
                continue
            aim = (page.parent / path).resolve() if path else page
            if not aim.exists() or (anchor and anchor not in anchors(aim)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
