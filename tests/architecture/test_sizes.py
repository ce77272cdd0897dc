"""Files are small: one that is not has its reason here, and a limit of its own."""

from tests.architecture.sources import ROOT, files, name

LONGEST = 250
LONGEST_TEST = 450
"""A file of tests is a list of sentences: it is read one at a time."""

LONGER = {
    "models/ledger.py": (360, "the ledger's eight tables and the one drawing of a job's states, read side by side"),
    "models/data_map.py": (280, "the vocabulary of the data map, which is one language"),
    "models/elsewhere.py": (360, "every place outside our tables, one entry after the other"),
    "ledger/run.py": (380, "one attempt from its claim to its end, in the order in which it happens"),
    "migrations/versions/0001_tables.py": (2100, "made by Alembic from the models"),
}


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_file_is_short_or_has_its_reason():
    product = {name(path): lines(path) for path in files(".py", ".sql")}
    too_long = {file: count for file, count in product.items() if count > LONGER.get(file, (LONGEST, ""))[0]}
    assert too_long == {}, f"more than {LONGEST} lines: divide it, or put it into LONGER with its reason"
    tests = {name(path): lines(path) for path in files(".py", under=("tests",))}
    assert {file: count for file, count in tests.items() if count > LONGEST_TEST} == {}


def test_no_reason_outlives_its_file_s_length():
    for file, (_, reason) in LONGER.items():
        assert reason
        assert (ROOT / file).exists(), file
        assert lines(ROOT / file) > LONGEST, f"{file} is short now: take it off the list"
