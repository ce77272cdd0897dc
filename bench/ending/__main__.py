"""`python -m bench.ending`: how fast data ends, beside the bare statement, and what the web tier feels of it.

    sweep     rows past their age in one business, by retention.expire, beside one DELETE of as many rows
    months    conversations of closed months, by privacy.anonymize, beside one INSERT … SELECT … GROUP BY
    person    one person's rows among many messages of the business, by privacy.erase: seconds in the database
    business  a whole business's rows, by privacy.erase, and by how much the process grew

Each while the web tier, a process of its own, enqueues some hundred jobs a second: p99 alone, beside the bare
statement, and meanwhile. A hold is timed from a transaction's first lock on a row that others may want to the end of
its commit.
The jobs run in this process as in a worker, against a PostgreSQL with fsync on; vendors are asked nothing.
"""

import argparse

from bench.ending.business import business
from bench.ending.months import months
from bench.ending.person import person
from bench.ending.place import Place
from bench.ending.row import HEAD
from bench.ending.sweep import sweep
from bench.servers import Servers

LINES = ("sweep", "months", "person", "business")


def main() -> None:
    """Fill, end, and print a table."""
    asked = argparse.ArgumentParser(
        prog="python -m bench.ending", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    asked.add_argument("--messages", type=int, default=5_000_000)
    asked.add_argument("--only", nargs="+", choices=LINES, default=LINES)
    asked.add_argument("--quiet", type=float, default=5.0, help="seconds for which the web tier enqueues alone")
    given = asked.parse_args()
    with Servers() as servers:
        place = Place(servers, given.quiet)
        print(HEAD, flush=True)
        for line, measure in (("sweep", sweep), ("months", months)):
            for rows in given.rows if line in given.only else ():
                measure(place, rows)
        if "person" in given.only:
            person(place, given.messages)
        if "business" in given.only:
            business(place, max(given.rows))


if __name__ == "__main__":
    main()
