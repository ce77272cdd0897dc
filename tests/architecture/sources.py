"""The project's own source, for the tests that read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = (
    *("models", "ledger", "providers", "lifecycle", "jobs", "schedules", "workers", "dashboard", "migrations"),
    *("sandbox", "bench", "docs"),
)
TOP = ("settings.py", "nexara.py")


def files(*suffixes: str, under: tuple[str, ...] = PRODUCT) -> Iterator[Path]:
    """Yield the files of these folders, and what lies beside them at the top, but for what git ignores."""
    found = [path for folder in under for path in (ROOT / folder).rglob("*") if path.suffix in suffixes]
    if under == PRODUCT:
        found += [ROOT / name for name in TOP if Path(name).suffix in suffixes]
    yield from sorted(path for path in found if "__pycache__" not in path.parts)


def name(path: Path) -> str:
    """Return a file's name as it stands in the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name(path))
