"""Nothing of ours leaves a trace in a session: behind a transaction pooler its next transaction is a stranger's."""

import re

from tests.architecture.sources import files, name

LASTING = re.compile(
    r"pg_(try_)?advisory_lock|set_config\([^;]*?,\s*false\s*\)|\bSET SESSION\b|\bLISTEN \{|\bTEMP(ORARY)? TABLE\b"
    r"|WITH HOLD|^\s*PREPARE |\bDISCARD ALL\b|\"SET (?!LOCAL)[a-z]",
    re.MULTILINE,
)
ALLOWED = {
    **dict.fromkeys(
        ("lifecycle/audit/tables.py", "lifecycle/audit/statistics.py"),
        "what a probe plants is dropped with the transaction, which is rolled back",
    ),
    "migrations/apply.py": "migrate needs a connection of its own, which the README says",
    "workers/knocks.py": "who listens finds out first whether anything can be heard",
}
CONNECTS = re.compile(r"(?<!def )\b(create_engine|psycopg\.connect)\(")
UNPREPARED = "prepare_threshold"


def test_no_statement_outlasts_its_transaction():
    found = {
        name(path): match[0] for path in files(".py", ".sql") if (match := LASTING.search(path.read_text("utf-8")))
    }
    ours = {file: what for file, what in found.items() if not file.startswith(("sandbox/", "bench/", "docs/"))}
    assert set(ours) == set(ALLOWED), ours


def test_every_connection_of_a_running_process_leaves_prepared_statements_off():
    once = {"migrations/apply.py", "workers/health.py"}  # ask too little to have one prepared, or need a direct one
    for path in files(".py"):
        source = path.read_text("utf-8")
        if CONNECTS.search(source) and not name(path).startswith(("sandbox/", "bench/", "docs/")):
            assert UNPREPARED in source or name(path) in once, name(path)
