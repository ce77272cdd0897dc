"""Three in the morning: what fails is found, looked at, retried for a reason, and seen to go green."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from jobs.registry import load
from ledger.errors import GiveUp
from ledger.job import Registry
from ledger.payload import Payload
from models.operators import Role
from tests.ledger.conftest import Ledger
from tests.ledger.kinds import Hang, Knock
from tests.workers.conftest import until

KNOCKS, HANGS = 200, 100
WHY = "the gallery and the door are open again"


@pytest.fixture
def registry(ledger: Ledger) -> Registry:
    """The kinds of the tests, and those that are there: an operation is a job of theirs."""
    every = Registry()
    for job in (*ledger.registry, *load()):
        every.add(job)
    return every


@pytest.fixture
def working(registry, start, dispatching):
    """Return what runs a worker, and lends a way to see how many jobs are in each state."""

    @contextmanager
    def works() -> Iterator[None]:
        with start(registry, queues=("knocks", "pictures", "walls", "upkeep"), threads=4):
            yield

    return works


def fail_for_good(ledger: Ledger, payloads: list[Payload]) -> None:
    """Enqueue jobs that a closed door makes fail, and have them fail."""
    for payload in payloads:
        ledger.enqueue(payload)
    ledger.script.call = closed
    until(lambda: states(ledger).get("dead") == len(payloads), 60)


def closed(_):
    raise GiveUp("door_closed", "The door is closed.")


def states(ledger: Ledger, kind: str = "%") -> dict[str, int]:
    found = ledger.sql(
        "SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) AS n FROM ledger.jobs"
        " WHERE kind LIKE :kind AND queue <> 'upkeep' GROUP BY 1) s",
        kind=kind,
    )
    return found or {}


@pytest.fixture
def failed(ledger: Ledger, working) -> None:
    """300 jobs of two kinds have failed, each run by a real worker."""
    ledger.script.call = closed
    payloads = [Knock(wall_id=uuid4()) for _ in range(KNOCKS)] + [Hang(wall_id=uuid4()) for _ in range(HANGS)]
    with working():
        fail_for_good(ledger, payloads)
    ledger.script.call = lambda _: "done"  # from here on the door is open


def test_one_of_two_groups_is_retried_and_goes_green_before_ones_eyes_and_the_other_is_as_it_was(
    failed, working, ledger, come
):
    kim = come("kim", Role.OPERATOR)
    page = kim.page
    page.goto("/failures")
    groups = page.locator("tbody tr")
    expect(groups).to_have_count(2)
    group = groups.filter(has_text="walls.knock")
    expect(group).to_contain_text(f"dead {KNOCKS}")

    group.get_by_role("link", name="door_closed").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("door_closed in walls.knock")
    sample = page.get_by_role("region", name="A sample")
    expect(sample).to_contain_text("The door is closed.")
    page.get_by_role("link", name="Retry all…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Retry {KNOCKS} jobs?")
    expect(page.locator("tbody tr")).to_have_count(10)

    retry = page.get_by_role("button", name=f"Retry {KNOCKS} jobs")
    retry.click()  # without a reason the browser itself asks for one
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Retry {KNOCKS} jobs?")
    page.get_by_label("Why").fill(WHY)
    page.get_by_label("They come due").select_option(label="at once")
    retry.click()
    expect(page.get_by_text(WHY)).to_be_visible()
    expect(page.locator("#live")).to_contain_text(f"0 retried, 0 left out, {KNOCKS} to do.")
    page.evaluate("window.neverReloaded = true")
    with working():
        badges = page.get_by_role("region", name="What became of them")
        expect(badges).to_contain_text("succeeded")
        expect(page.locator("#live")).to_contain_text(f"{KNOCKS} retried, 0 left out, 0 not come to.")
        until(lambda: states(ledger, "walls.knock") == {"succeeded": KNOCKS}, 60)
        expect(badges.locator("dd")).to_have_text([str(KNOCKS)])
        expect(page).to_have_title(f"Retry {KNOCKS} jobs: done · Nexara staging")
        assert page.evaluate("window.neverReloaded") is True

    assert states(ledger, "pictures.hang") == {"dead": HANGS}
    page.goto("/failures")
    expect(groups).to_have_count(1)
    expect(groups).to_contain_text("pictures.hang")
    assert kim.complaints == []


def test_two_operators_retry_the_same_group_at_once_and_each_job_is_retried_once(failed, working, ledger, come):
    both = [come("kim", Role.OPERATOR), come("lou", Role.OPERATOR)]
    for person in both:
        person.page.goto("/failures")
        person.page.locator("tbody tr").filter(has_text="walls.knock").get_by_text("Retry all…").click()
        person.page.get_by_label("Why").fill(WHY)
        person.page.get_by_label("They come due").select_option(label="at once")
    for person in both:  # neither waits for the answer to the other
        person.page.evaluate("setTimeout(() => document.querySelector('form.reasoned button').click())")
    for person in both:
        expect(person.page.locator("#live")).to_contain_text(f"0 retried, 0 left out, {KNOCKS} to do.")
    with working():
        for person in both:
            expect(person.page.locator("#live")).to_contain_text("0 not come to.")
        until(lambda: states(ledger, "walls.knock") == {"succeeded": KNOCKS}, 60)
    done = ledger.sql("SELECT jsonb_agg(jsonb_build_array(done, skipped) ORDER BY done) FROM ledger.operations")
    assert sum(count for count, _ in done) == KNOCKS
    assert sum(skipped.get("moved_on", 0) for _, skipped in done) == KNOCKS
    assert ledger.sql("SELECT max(attempt) FROM ledger.jobs WHERE kind = 'walls.knock'") == 1
    assert len(ledger.script.calls) == KNOCKS + KNOCKS + HANGS
    second = min(both, key=lambda person: person.page.locator("#live b").first.inner_text() == str(KNOCKS))
    expect(second.page.locator("#live")).to_contain_text("moved on by themselves, or by somebody else's hand")
    assert [person.complaints for person in both] == [[], []]
