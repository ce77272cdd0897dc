"""What the README shows is run as it stands there: as the web tier's role, on a real database."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


class Facts:
    """A business with a recording that is pending and a chat, told as the web tier tells them."""

    def __init__(self, web_url: str) -> None:
        self.url = web_url
        known = ("business", "person", "call", "leg", "recording", "conversation", "chat", "batch")
        ids = {name: uuid4() for name in known}
        self.ids = ids
        rows: list[tuple[str, dict[str, Any]]] = [
            ("businesses", {"id": ids["business"], "name": "A shop", "country": "IE"}),
            ("people", {"id": ids["person"]}),
            ("conversations", {"id": ids["call"], "person_id": ids["person"], "channel": "call"}),
            ("conversations", {"id": ids["conversation"], "person_id": ids["person"], "channel": "sms"}),
            ("calls", {"id": ids["chat"], "conversation_id": ids["call"], "recorded": True, "seconds": 9}),
            ("call_legs", {"id": ids["leg"], "call_id": ids["chat"]}),
            ("recordings", {"id": ids["recording"], "leg_id": ids["leg"], "state": "pending"}),
        ]
        engine = create_engine(web_url)
        with engine.begin() as db:
            db.execute(text("SELECT nexara.act_for(:business)"), {"business": ids["business"]})
            for table, row in rows:
                told = row if table == "businesses" else {"business_id": ids["business"], **row}
                if table in ("conversations", "calls"):
                    told["event_key"] = uuid4().hex * 2
                marks = ", ".join(f":{name}" for name in told)
                db.execute(text(f"INSERT INTO live.{table} ({', '.join(told)}) VALUES ({marks})"), told)
        engine.dispose()

    def run(self, sql: str) -> Any:
        """Run a block as psql would, and return the last value that it selected."""
        values = {**{name: str(known) for name, known in self.ids.items()}, "key": "a.wav"}
        filled = re.sub(r":'(\w+)'", lambda found: f"'{values[found[1]]}'", sql)
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        selected = None
        with psycopg.connect(plain, autocommit=True) as connection:
            cursor = connection.execute(filled)
            while True:
                if cursor.description:
                    selected = cursor.fetchone()
                if not cursor.nextset():
                    return selected


@pytest.fixture
def facts(database: Any) -> Facts:
    return Facts(database.web_url)


def jobs(database: Any) -> list[tuple[int, str, dict[str, str], UUID]]:
    engine = create_engine(database.admin_url)
    with engine.connect() as db:
        found = [tuple(row) for row in db.execute(text("SELECT id, kind, payload, business_id FROM ledger.jobs"))]
    engine.dispose()
    return found


def test_the_trigger_enqueues_in_the_transaction_that_is_shown(facts: Facts, database: Any) -> None:
    facts.run(blocks("sql")[0])
    ((_, kind, payload, business),) = jobs(database)
    assert (kind, payload) == ("recordings.transcribe", {"recording_id": str(facts.ids["recording"])})
    assert business == facts.ids["business"]


def test_the_call_that_is_shown_returns_the_job_and_twice_the_same(facts: Facts, database: Any) -> None:
    first, second = facts.run(blocks("sql")[1]), facts.run(blocks("sql")[1])
    assert first == second
    ((job_id, kind, payload, _),) = jobs(database)
    assert first == (job_id,)
    assert (kind, payload) == ("conversations.summarize", {"conversation_id": str(facts.ids["conversation"])})


def test_the_many_that_are_shown_are_enqueued(facts: Facts, database: Any) -> None:
    first, second = facts.run(blocks("sql")[2]), facts.run(blocks("sql")[2])
    assert first == second
    ((job_id, kind, payload, _),) = jobs(database)
    assert first == (job_id,)
    assert (kind, payload) == ("conversations.summarize", {"conversation_id": str(facts.ids["conversation"])})


def test_the_batch_that_is_shown_is_sealed_with_its_job(facts: Facts, database: Any) -> None:
    facts.run(next(block for block in blocks("sql") if "batch" in block))
    ((_, kind, payload, _),) = jobs(database)
    assert (kind, payload) == ("conversations.summarize", {"conversation_id": str(facts.ids["conversation"])})
    engine = create_engine(database.admin_url)
    with engine.connect() as db:
        row = db.execute(text("SELECT id, sealed_at, completed_at FROM ledger.batches")).one()
    engine.dispose()
    assert (row.id, row.sealed_at is not None, row.completed_at) == (facts.ids["batch"], True, None)


def test_the_python_that_is_shown_enqueues_the_same(facts: Facts, database: Any) -> None:
    (shown,) = blocks("python")
    known: dict[str, Any] = {
        "web_database_url": database.web_url,
        "business_id": facts.ids["business"],
        "conversation_id": facts.ids["conversation"],
    }
    exec(compile(shown, "README.md", "exec"), known)
    known["db"].get_bind().dispose()
    ((job_id, kind, _, _),) = jobs(database)
    assert (known["job_id"], "conversations.summarize") == (job_id, kind)


def test_the_arguments_of_the_rpc_that_is_shown_are_those_of_the_function(database: Any) -> None:
    (shown,) = blocks("ts")
    engine = create_engine(database.admin_url)
    with engine.connect() as db:
        known = "SELECT proargnames FROM pg_proc WHERE oid = 'public.enqueue_job_v1'::regproc"
        names: list[str] = db.execute(text(known)).scalar_one()
    engine.dispose()
    assert set(re.findall(r"\b(p_\w+):", shown)) <= set(names)
    assert 'rpc("enqueue_job_v1"' in shown


def test_every_command_and_file_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    pages = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
    for page in pages:
        assert set(re.findall(r"`make ([a-z0-9-]+)", page)) <= targets
    for target in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^([a-z]+)/ ", README, flags=re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


def test_the_payload_that_is_shown_is_the_real_one() -> None:
    (shown,) = re.findall(r"^```\n(class TranscribeRecording.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    real = (ROOT / "jobs/recordings/payloads.py").read_text()

    def close(code: str) -> str:
        return re.sub(r"\s+|,(?=\s*\))", "", code)

    assert close(shown) in close(real)
