"""One person's rows among very many of their business, by privacy.erase: seconds in the database."""

from uuid import UUID, uuid4

from bench.ending.place import Place
from bench.ending.row import Felt, show

TABLES = ("people", "identifiers", "conversations", "messages", "mentions")
SIZES = (1_000, 10_000, 100_000)
PEOPLE = "SELECT id FROM nexara.people WHERE business_id = %s ORDER BY created_at LIMIT 3"
THEIRS = "DELETE FROM nexara.messages WHERE business_id = '{business}' AND author_id = '{person}'"


def person(place: Place, messages: int) -> None:
    """Measure people of several sizes, and by how much the map's triggers slow the bare statement down."""
    sizes = [min(each, messages) for each in SIZES]
    business = place.fill(
        "person", *TABLES, messages=messages, **dict(zip(("few", "many", "most"), sizes, strict=True))
    )
    people = [row[0] for row in place.admin.execute(PEOPLE, [business]).fetchall()]
    alone = place.alone(business)
    _triggers(place, business, people[1])
    for root, size in zip(people, sizes, strict=True):
        took, rows = erase(place, business, "person", root)
        what = f"one person: {rows:,} rows, {size:,} of them messages among {messages + sum(sizes):,}"
        show(place, what, f"{place.holds.spent:.2f} s in the database", Felt(alone, took))


def erase(place: Place, business: UUID, scope: str, root: UUID) -> tuple[list[float], int]:
    """Erase whom the root is; return the milliseconds of the web tier's enqueues meanwhile, and the rows that went."""
    erasure = uuid4()
    table = "people" if scope == "person" else "businesses"
    with place.admin.transaction():
        place.admin.execute(
            "INSERT INTO nexara.erasures (business_id, id, scope, root_id, origin) VALUES (%s, %s, %s, %s, 'request')",
            [business, erasure, scope, root],
        )
        place.admin.execute(
            "INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, evidence, decision) "
            "VALUES (%s, %s, %s, %s, 'asked', 'include')",
            [business, erasure, table, root],
        )
        place.admin.execute(
            "UPDATE nexara.erasures SET state = 'erasing', confirmed_at = now() WHERE id = %s", [erasure]
        )
    place.holds.forget()
    place.enqueue("privacy.erase", business, erasure_id=erasure)
    with place.enqueuing(business) as took:
        place.drain("privacy.erase")
    state, counts = place.one("SELECT ARRAY[to_jsonb(state), counts] FROM nexara.erasures WHERE id = %s", erasure)
    if state != "pending":
        raise RuntimeError(f"the erasure is {state}")
    return took, sum(counts.values())


def _triggers(place: Place, business: UUID, person: UUID) -> None:
    """Print what the triggers that are made from the map cost the bare DELETE of one person's messages."""
    theirs = THEIRS.format(business=business, person=person)
    rows, with_them = place.bare(theirs)
    _, without = place.bare("ALTER TABLE nexara.messages DISABLE TRIGGER USER", theirs)
    told = f"{1e6 * with_them / rows:.1f} µs a row"
    beside = f"without: {1e6 * without / rows:.1f} µs"
    print(f"| DELETE of {rows:,} messages, with the map's triggers | {told} | {beside} | | | |", flush=True)
