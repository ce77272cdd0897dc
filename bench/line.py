"""What a line of the table is: what it measures of each engine, and how large."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from bench.contestants import Contestant
from bench.servers import Servers

Value = float | str | None
"""A figure; or what is said in its place, such as "> 15 s"; None where the engine has no such thing."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything: full, or quick to see that it runs."""

    enqueued: int
    bulk: int
    small: int
    large: int
    written: int
    latencies: int
    lasting: float
    backfill: int
    behind: int
    patience: float
    finished: int
    recovered: float
    kills: int

    @classmethod
    def full(cls) -> "Sizes":
        """Return what figures are measured with."""
        return cls(
            enqueued=4000,
            bulk=30_000,
            small=10_000,
            large=60_000,
            written=3000,
            latencies=150,
            lasting=4.0,
            backfill=100_000,
            behind=12,
            patience=5.0,
            finished=1_000_000,
            recovered=45.0,
            kills=2,
        )

    @classmethod
    def quick(cls) -> "Sizes":
        """Return what shows in seconds that a line runs; its figures mean little."""
        return cls(
            enqueued=400,
            bulk=2000,
            small=1000,
            large=2000,
            written=400,
            latencies=30,
            lasting=1.0,
            backfill=20_000,
            behind=6,
            patience=3.0,
            finished=20_000,
            recovered=12.0,
            kills=1,
        )


@dataclass(frozen=True)
class Figure:
    """One row of the table: its title, how a value is written, and whether more is better."""

    title: str
    form: str = "{:,.0f}"
    more_is_better: bool = True


@dataclass(frozen=True)
class Bench:
    """What measures are given."""

    servers: Servers
    sizes: Sizes
    admin: psycopg.Connection


@dataclass(frozen=True)
class Line:
    """One line: its key, its rows, and what one round of one engine gives for each row."""

    key: str
    figures: Sequence[Figure]
    measure: Callable[[Bench, Contestant], Sequence[Value]]
    ours_alone: bool = False
    once_for_peers: bool = False
    """One round of each peer is enough: it takes long, and what it says does not vary."""
