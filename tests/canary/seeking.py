"""Looking for very many needles in very long texts: the first letters of each are looked up before it is looked for."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lifecycle.audit.needles import SHORTEST, Kind, Needle, Subject, spellings
from lifecycle.audit.search import BETWEEN


@dataclass(frozen=True)
class Hit:
    """Something was found: where, in which form, and for which column it was made."""

    where: str
    form: str
    made_for: str


class Sought:
    """The spellings of tokens; of each the column for which it was made is told."""

    def __init__(self, made: Mapping[Subject, str], salts: Iterable[bytes] = (), *, but: Collection[Kind] = ()) -> None:
        subjects = [each for each in made if each.kind not in but]
        self._places = [made[each] for each in subjects]
        self._by_start: dict[str, list[Needle]] = {}
        needles = [each for each in spellings(subjects, list(salts)) if not each.weak]
        # What `mentions` has of a number, as COPY writes a column; shorter than what may be looked for everywhere.
        needles += [
            Needle(at, "last_8", f"\t{each.value[-8:]}\t")
            for at, each in enumerate(subjects)
            if each.kind is Kind.PHONE
        ]
        for each in needles:
            self._by_start.setdefault(each.value[:SHORTEST], []).append(each)

    def find(self, text: str, where: str) -> set[Hit]:
        """Return what of them is in a text, in upper or lower case, escaped, and however its digits are grouped."""
        lower = text.lower().replace("\\", "")
        found = set()
        for told in {lower, BETWEEN.sub("", lower)}:
            starts = {told[at : at + SHORTEST] for at in range(len(told) - SHORTEST + 1)} & self._by_start.keys()
            for needle in (each for start in starts for each in self._by_start[start]):
                if needle.value in told:
                    found.add(Hit(where, needle.form, self._places[needle.of]))
        return found

    def find_all(self, texts: Iterable[tuple[str, str]]) -> set[Hit]:
        """Return what of them is in any of these texts, each given with its place."""
        return {hit for where, text in texts for hit in self.find(text, where)}


def lines_of(dump: str) -> Iterator[tuple[str, str]]:
    """Yield each table of a dump as one text under its name, and all that is no table's content as `statements`."""
    rest: list[str] = []
    name: str | None = None
    rows: list[str] = []
    for line in dump.splitlines():
        if name is not None and line == "\\.":
            yield name, "\n".join(rows)
            name, rows = None, []
        elif name is not None:
            rows.append(line)
        elif line.startswith("COPY "):
            name = line.removeprefix("COPY ").removesuffix(" FROM stdin;")
        else:
            rest.append(line)
    yield "statements", "\n".join(rest)


def in_dump(sought: Sought, dump: str, spare: str | None = None) -> set[Hit]:
    """Return what is in a dump, by `schema.table.column`. Rows that hold `spare` are not read."""
    found = set()
    for name, text in lines_of(dump):
        if spare is not None and spare in text:
            text = "\n".join(line for line in text.splitlines() if spare not in line)  # noqa: PLW2901
        if not sought.find(f"\t{text}\t".replace("\n", "\t\n\t"), name):
            continue
        table, _, listed = name.partition(" (")
        columns = listed.removesuffix(")").split(", ")
        for line in text.splitlines() if listed else [text]:
            cells = zip(columns, line.split("\t"), strict=True) if listed else [("", line)]
            for column, cell in cells:
                found |= sought.find(f"\t{cell}\t", f"{table}.{column}" if column else table)
    return found
