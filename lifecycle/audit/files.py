"""Logs and whatever else was written to files: of the engine, the server, the proxy."""

import gzip
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lifecycle.audit.canary import texts
from lifecycle.audit.report import Finding, because
from lifecycle.audit.search import Search

CHUNK = 4 * 1024 * 1024
OVERLAP = 4096
"""Bytes that are searched twice, so that nothing is cut in two: longer than any needle."""
GZIP = b"\x1f\x8b"


class Files:
    """The probe; a folder stands for all files in it."""

    name = "logs"

    def __init__(self, paths: Sequence[Path], name: str = "logs") -> None:
        self._paths = paths
        self.name = name

    def scan(self, search: Search) -> Finding:
        """Read every file."""
        return self._scan(self._paths, search, f"{len(self._paths)} files and folders that were named")

    def planted(self, search: Search) -> Finding:
        """Plant files of its own: plain and compressed."""
        with tempfile.TemporaryDirectory(prefix="nexara-audit-") as folder:
            plain, packed = Path(folder) / "plain.log", Path(folder) / "packed.log.gz"
            written = self.written(texts(search))
            plain.write_bytes(written)
            packed.write_bytes(gzip.compress(written))
            finding = self._scan([Path(folder)], search, "files of its own")
            for path in (plain, packed):
                finding.expect(str(path), search)
            return finding

    def written(self, told: Sequence[str]) -> bytes:
        """Return these texts as such a file has them."""
        return "\n".join(told).encode()

    def pieces(self, data: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what is to be searched of a file."""
        kept = b""
        for block in data:
            yield kept + block
            kept = block[-OVERLAP:]

    def _scan(self, paths: Sequence[Path], search: Search, scope: str) -> Finding:
        finding = Finding(self.name, scope, "files")
        for path in (found for given in paths for found in _within(given)):
            place = search.place(str(path))
            finding.note("names of files", search.find(str(path)))
            finding.scanned += 1
            try:
                for piece in self.pieces(_read(path)):
                    finding.note(place, search.find_bytes(piece))
            except Exception as error:  # noqa: BLE001 - one that cannot be read must not hide the others
                finding.cannot(place, because(error))
        return finding


def _within(path: Path) -> Iterator[Path]:
    yield from sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
        raw.seek(0)
        with gzip.open(raw) if packed else raw as data:
            while block := data.read(CHUNK):
                yield block
