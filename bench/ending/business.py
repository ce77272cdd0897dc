"""A whole business: its rows go in batches, and no list of them is ever in memory."""

from pathlib import Path

from bench.ending.person import erase
from bench.ending.place import Place
from bench.ending.row import Felt, rate, show
from bench.ending.sweep import TABLES

MEMORY = Path("/proc/self/status")
FORGET_PEAK = Path("/proc/self/clear_refs"), "5"


def business(place: Place, rows: int) -> None:
    """Measure one with so many rows."""
    whole = place.fill("sweep", *TABLES, rows=rows)
    alone = place.alone(whole)
    FORGET_PEAK[0].write_text(FORGET_PEAK[1], encoding="ascii")
    before = _megabytes("VmRSS")
    took, gone = erase(place, whole, "business", whole)
    grew = _megabytes("VmHWM") - before
    what = f"a business with {gone:,} rows; memory grew by {grew:.0f} MB"
    show(place, what, rate(gone, place.holds.spent), Felt(alone, took))


def _megabytes(field: str) -> float:
    lines = MEMORY.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(f"{field}:"))
