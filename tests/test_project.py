"""What the project promises of itself."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name)
def test_requirements_name_no_host_and_no_file(path):
    text = path.read_text()
    assert not re.search(r"https?://|file:|--index-url|--extra-index-url|--find-links|--trusted-host", text)


@pytest.mark.parametrize("name", ["base.txt", "dev.txt"])
def test_every_requirement_is_pinned_with_a_hash(name):
    blocks = re.split(r"(?m)^(?=\S)", (ROOT / "requirements" / name).read_text())
    for block in filter(str.strip, blocks):
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_every_setting_is_explained():
    read = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text())
    explained = re.findall(r"(?m)^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text())
    assert set(read) - {"DEMO_PASSWORD"} == set(explained)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_every_command_of_the_readme_exists():
    named = set(re.findall(r"manage\.py (\w+)", (ROOT / "README.md").read_text()))
    assert named - set(get_commands()) == set()


def test_links_in_the_documents_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_promise_is_proven_by_tests_that_exist():
    named = set(re.findall(r"`(test_\w+)::(test_\w+)`", (ROOT / "docs" / "promises.md").read_text()))
    there = {
        (path.stem, name)
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"(?m)^def (test_\w+)", path.read_text())
    }
    assert len(named) > 40
    assert named - there == set()
