"""A transaction for looking: it cannot write, sees one moment, and takes an index wherever there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

# A state's share of the table changes by the minute, so the planner's statistics are always of another hour: left to
# them it reads a million finished rows to find ten open ones, or sorts them to find the first. Compiling for such a
# misjudged cost takes longer still.
LOOK = text(
    "SELECT set_config('transaction_read_only', 'on', true), set_config('enable_seqscan', 'off', true), "
    "set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)"
)


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose transaction reads and nothing else."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as db:
        db.execute(LOOK)
        yield db
