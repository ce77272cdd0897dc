"""What remains of people when their rows are gone, measured on a made-up town."""

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from jobs.privacy.payloads import CountMonths
from models.accounts import Business
from models.activity import Activity, ActivityMonth
from models.billing import Meter
from models.calls import Call
from models.conversations import Conversation
from models.data_map import Count, Delete
from models.entries import rows, table_of
from models.leads import Lead
from models.people import Person

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
MONTH = JUNE.date()
OUTCOMES = ("booking", "quote", "question", "complaint", None)
NUMBERS = count(1)
CELLS = "SELECT industry, channel, outcome, people, businesses, conversations, seconds FROM nexara.activity"


class Town:
    """Businesses with people who call them, written as the tables hold them."""

    def __init__(self, house):
        self.house = house
        self.tables = defaultdict(list)

    def business(self, industry):
        business = uuid4()
        self.tables[Business].append({"id": business, "name": "A shop", "country": "GB", "industry": industry})
        return business

    def person(self, business):
        person = uuid4()
        self.tables[Person].append({"business_id": business, "id": person})
        return person

    def calls(self, business, person, outcome, *, at=JUNE + timedelta(days=9), seconds=60, ended=True):
        conversation, key = uuid4(), f"{next(NUMBERS):064x}"
        of = {"business_id": business}
        ended_at = at + timedelta(seconds=seconds) if ended else None
        self.tables[Conversation].append(
            of
            | {
                "id": conversation,
                "person_id": person,
                "channel": "call",
                "started_at": at,
                "ended_at": ended_at,
                "event_key": key,
            }
        )
        self.tables[Call].append(of | {"conversation_id": conversation, "seconds": seconds, "event_key": key})
        self.tables[Meter].append(
            of | {"event_key": key, "source": "call", "unit": "call_second", "quantity": seconds, "at": at}
        )
        if outcome:
            self.tables[Lead].append(
                of | {"person_id": person, "conversation_id": conversation, "intent": outcome, "urgency": "low"}
            )
        return conversation

    def write(self):
        with self.house.admin.begin() as db:
            db.execute(text("SET LOCAL session_replication_role = replica"))
            for row in (Business, Person, Conversation, Call, Lead, Meter):
                if self.tables[row]:
                    db.execute(insert(row), self.tables[row])
        self.tables.clear()

    def count(self, as_of=datetime(2026, 11, 1, tzinfo=UTC)):
        self.write()
        self.house.house_enqueue(CountMonths(as_of=as_of))
        assert {ended.state for ended in self.house.drain()} <= {"succeeded", "available"}
        return {
            (row.industry, row.channel, row.outcome): row
            for row in self.house.rows(CELLS + " WHERE month = :m", m=MONTH)
        }

    def crowd(self, industry, outcome, people_of_each, **more):
        """Let so many people of each of some businesses call once; return the businesses."""
        businesses = [self.business(industry) for _ in people_of_each]
        for business, people in zip(businesses, people_of_each, strict=True):
            for _ in range(people):
                self.calls(business, self.person(business), outcome, **more)
        return businesses


@pytest.fixture
def town(house):
    return Town(house)


def test_ten_people_of_five_businesses_are_counted(town):
    town.crowd("plumbing", "booking", [2, 2, 2, 2, 2])
    assert town.count() == {("plumbing", "call", "booking"): ("plumbing", "call", "booking", 10, 5, 10, 600)}


@pytest.mark.parametrize(
    "people_of_each",
    [
        [2, 2, 2, 2, 1],  # nine people
        [3, 3, 3, 3],  # four businesses
        [17, 1, 1, 1, 1],  # one business has more than four fifths
    ],
)
def test_fewer_are_counted_nowhere_and_their_month_is_done_all_the_same(town, people_of_each):
    town.crowd("plumbing", "booking", people_of_each)
    assert town.count() == {}
    assert town.house.rows("SELECT month FROM nexara.activity_months ORDER BY month LIMIT 1") == [(MONTH,)]


def test_calls_are_not_people(town):
    businesses = town.crowd("plumbing", "booking", [1, 1, 1, 1, 1])
    for business in businesses:
        person = town.person(business)
        for _ in range(20):
            town.calls(business, person, "quote")
    assert town.count() == {}


def test_no_business_stands_out_by_its_calls_or_its_seconds(town):
    for industry, much in (("calls", {"often": 50, "long": 60}), ("seconds", {"often": 1, "long": 6000})):
        first, *_ = town.crowd(industry, "booking", [2, 2, 2, 2, 2], seconds=60)
        person = town.person(first)
        for _ in range(much["often"]):
            town.calls(first, person, "booking", seconds=much["long"])
    assert town.count() == {}


def test_a_business_of_no_industry_is_not_counted(town):
    town.crowd(None, "booking", [10, 10, 10, 10, 10])
    assert town.count() == {}


def test_what_the_meter_would_give_away_takes_the_smallest_cell_with_it(town):
    """One complaint is told nowhere; but the meter has the total, and less the cells that would be the complaint."""
    businesses = town.crowd("plumbing", "booking", [3, 3, 3, 3, 3])
    for business in businesses:
        for _ in range(4):
            town.calls(business, town.person(business), "quote")
    town.calls(businesses[0], town.person(businesses[0]), "complaint")
    told = town.count()
    assert set(told) == {("plumbing", "call", "quote")}
    missing = town.house.sql("SELECT count(*) FROM nexara.meter") - sum(row.conversations for row in told.values())
    assert missing == 16


def test_a_month_waits_until_every_conversation_of_it_has_ended_and_been_summed_up(town):
    businesses = town.crowd("plumbing", "booking", [2, 2, 2, 2, 2])
    open_one = town.calls(businesses[0], town.person(businesses[0]), "booking", ended=False)
    assert town.count(datetime(2026, 7, 7, tzinfo=UTC)) == {}  # within the week
    assert town.count(datetime(2026, 7, 20, tzinfo=UTC)) == {}  # one goes on
    assert town.house.sql("SELECT count(*) FROM nexara.activity_months") == 0
    ended = datetime(2026, 7, 10, tzinfo=UTC)
    town.house.sql("UPDATE nexara.conversations SET ended_at = :at WHERE id = :id", at=ended, id=open_one)
    assert town.count(datetime(2026, 7, 16, tzinfo=UTC)) == {}
    assert town.count(datetime(2026, 7, 18, tzinfo=UTC))["plumbing", "call", "booking"].people == 11


def test_one_that_never_ends_holds_its_month_up_for_a_month(town):
    businesses = town.crowd("plumbing", "booking", [2, 2, 2, 2, 2])
    town.calls(businesses[0], town.person(businesses[0]), "booking", ended=False)
    assert town.count(datetime(2026, 7, 31, tzinfo=UTC)) == {}
    assert town.count(datetime(2026, 8, 1, tzinfo=UTC))["plumbing", "call", "booking"].people == 10


def test_a_month_is_one_in_utc(town):
    last, first = JULY - timedelta(seconds=1), JULY
    town.crowd("plumbing", "booking", [2, 2, 2, 2, 2], at=last)
    town.crowd("plumbing", "booking", [3, 3, 3, 3, 3], at=first)
    town.count()
    told = town.house.rows("SELECT month::text, people FROM nexara.activity ORDER BY month")
    assert told == [("2026-06-01", 10), ("2026-07-01", 15)]


def test_what_is_erased_afterwards_changes_nothing(town):
    """Whoever compares before and after learns nothing of the one who left, however often it is counted again."""
    businesses = town.crowd("plumbing", "booking", [2, 2, 2, 2, 2])
    before = town.count()
    house = town.house
    for table in ("leads", "calls", "conversations", "people"):
        house.sql(f"DELETE FROM nexara.{table} WHERE business_id = :b", b=businesses[0])
    assert town.count(datetime(2026, 11, 2, tzinfo=UTC)) == before
    town.crowd("plumbing", "booking", [2, 2, 2, 2, 2])
    assert town.count(datetime(2026, 11, 3, tzinfo=UTC)) == before


def test_a_town_of_people_measured(town, record_property):
    """Forty businesses with people who called them: what can be told of any of them?"""
    draw = random.Random(7)
    of_business = {}
    for industry, businesses in (("plumbing", 14), ("dental", 12), ("legal", 9), ("florist", 5), ("vet", 3)):
        for _ in range(businesses):
            business = town.business(industry)
            of_business[business] = industry
            for _ in range(draw.choice([3, 8, 20, 60, 150])):
                person = town.person(business)
                for _ in range(draw.choice([1, 1, 1, 2, 5])):
                    outcome = draw.choices(OUTCOMES, [40, 15, 20, 2, 23])[0]
                    town.calls(
                        business,
                        person,
                        outcome,
                        seconds=draw.randint(5, 900),
                        at=JUNE + timedelta(minutes=draw.randint(0, 43_000)),
                    )
    told = town.count()
    house = town.house
    facts = house.rows(
        "SELECT c.business_id, c.person_id, coalesce(l.intent, 'none') AS outcome FROM nexara.conversations c"
        " LEFT JOIN nexara.leads l ON l.business_id = c.business_id AND l.conversation_id = c.id"
    )
    people, of_each = defaultdict(set), defaultdict(Counter)
    for fact in facts:
        cell = (of_business[fact.business_id], "call", fact.outcome)
        people[cell].add(fact.person_id)
        of_each[cell][fact.business_id] += 1
    assert told, "a town of this size has something to tell"
    # k, and singling out.
    assert {cell: row.people for cell, row in told.items()} == {cell: len(people[cell]) for cell in told}
    smallest = min(row.people for row in told.values())
    dominance = max(max(of_each[cell].values()) / row.conversations for cell, row in told.items())
    assert smallest >= 10
    assert dominance <= 0.8
    # With the kept meter: what is missing between its totals and the cells is nobody, or enough of enough businesses.
    metered = Counter(of_business[row.business_id] for row in house.rows("SELECT business_id FROM nexara.meter"))
    least = None
    for industry, total in metered.items():
        cells = {cell for cell in told if cell[0] == industry}
        missing = total - sum(told[cell].conversations for cell in cells)
        hidden = [cell for cell in people if cell[0] == industry and cell not in cells]
        who = set().union(*(people[cell] for cell in hidden)) if hidden else set()
        assert (missing == 0) == (not hidden)
        if cells and hidden:
            assert len(who) >= 10
            assert len({business for cell in hidden for business in of_each[cell]}) >= 5
            least = min(least or len(who), len(who))
    # What the two together do tell of one metered call: how likely each outcome is, in its month, industry and channel.
    surest = max(row.conversations / metered[industry] for (industry, _, _), row in told.items())
    assert surest < 1
    record_property(
        "report",
        f"{len(facts)} conversations, {len(people)} cells, {len(told)} told; smallest {smallest}, largest share of"
        f" one business {dominance:.0%}, fewest people between meter and cells {least},"
        f" surest outcome of one call {surest:.0%}",
    )


def test_no_column_tells_when_or_who():
    kinds = {column.info["kind"] for row in (Activity, ActivityMonth) for column in table_of(row).columns}
    assert kinds == {"Day", "Word", "Count", "Moment"}
    moments = [column.name for column in table_of(Activity).columns if column.info["kind"] == "Moment"]
    assert moments == []
    assert {"business_id", "id"} & set(table_of(Activity).columns.keys()) == set()


def test_what_the_map_counts_is_what_the_function_counts(house):
    asked = {
        (table_of(row).name, ending.people, ending.businesses, ending.into, ending.by)
        for row in rows()
        for ending in row.__life__.after_cancellation
        if isinstance(ending, Count)
    }
    assert asked == {("leads", 10, 5, "activity", ("intent",)), ("product_events", 10, 5, "activity", ("name",))}
    source = house.sql("SELECT prosrc FROM pg_proc WHERE proname = 'count_month_v1'")
    assert ">= 10 AND count(*) >= 5" in source


def test_voices_and_what_was_said_are_always_deleted():
    """No counting, no keeping: where a sound, a transcript or a message is, the row goes as a whole."""
    words = {"StoredObject", "PersonalText", "DerivedText", "Items"}
    said = [
        row
        for row in rows()
        if str(row.__life__.category) == "communication data"
        and words & {c.info["kind"] for c in table_of(row).columns}
    ]
    assert {table_of(row).name for row in said} >= {
        "recordings",
        "transcripts",
        "messages",
        "message_media",
        "summaries",
    }
    assert {row.__life__.after_cancellation for row in said} == {(Delete(),)}


def test_nobody_but_the_house_s_function_reads_or_writes_what_is_counted(house):
    for role in ("nexara_web", "tenant_job", "nexara_worker", "nexara_dashboard"):
        for table in ("activity", "activity_months"):
            may = "SELECT has_table_privilege(:role, :table, 'SELECT, INSERT, UPDATE, DELETE')"
            assert house.sql(may, role=role, table=f"nexara.{table}") is False
