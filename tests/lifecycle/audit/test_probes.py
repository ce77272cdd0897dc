"""Each probe finds what lies in its kind of place, where nobody thought of; what it cannot read proves nothing."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from lifecycle.audit.copies import Copies, Copy
from lifecycle.audit.envelopes import Envelopes
from lifecycle.audit.files import Files
from lifecycle.audit.keys import Keys
from lifecycle.audit.objects import Objects
from lifecycle.audit.probe import audit
from lifecycle.audit.report import Verdict, verdict_of
from lifecycle.audit.statistics import Statistics
from lifecycle.audit.tables import Tables
from providers.stored import Account
from tests.lifecycle.audit.conftest import TOKEN

NUMBER = "07700 900-488"
PLACES = {
    "a column that nobody mapped": (
        """
        ALTER TABLE nexara.people ADD COLUMN nick text;
        INSERT INTO nexara.businesses (id, name, country) VALUES (gen_random_uuid(), 'x', 'IE');
        INSERT INTO nexara.people (business_id, nick) SELECT id, '%T%' FROM nexara.businesses
        """,
        "nexara.people.nick",
    ),
    "a table of somebody else's schema": (
        "CREATE SCHEMA theirs; CREATE TABLE theirs.notes AS SELECT '%T%' AS a",
        "theirs.notes.a",
    ),
    "a materialized view": ("CREATE MATERIALIZED VIEW public.seen AS SELECT 1 AS n, '%T%' AS a", "public.seen.a"),
    "a partition": (
        """
        CREATE TABLE public.parted (n int, a text) PARTITION BY LIST (n);
        CREATE TABLE public.part_1 PARTITION OF public.parted FOR VALUES IN (1);
        INSERT INTO public.parted VALUES (1, '%T%')
        """,
        "public.part_1.a",
    ),
    "an array": ("CREATE TABLE public.listed AS SELECT ARRAY['x', '%T%'] AS a", "public.listed.a"),
    "a key of JSON": ('CREATE TABLE public.told AS SELECT \'{"x": {"%T%": 1}}\'::jsonb AS a', "public.told.a"),
    "bytes": ("CREATE TABLE public.raw AS SELECT convert_to('%T%', 'UTF8') AS a", "public.raw.a"),
    "a vector of words": ("CREATE TABLE public.words AS SELECT to_tsvector('simple', '%T%') AS a", "public.words.a"),
    "a job's error": (
        """
        INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, outcome, message)
        VALUES (1, gen_random_uuid(), 'x', 1, 'bug', '%T%')
        """,
        "ledger.attempts.message",
    ),
    "a kept answer": (
        "INSERT INTO ledger.kept_answers VALUES (1, 'x', '{\"a\": \"%T%\"}', now())",
        "ledger.kept_answers.answer",
    ),
    "a comment": ("COMMENT ON TABLE nexara.people IS '%T%'", "pg_catalog.pg_description.description"),
}


def places(told: Any) -> set[str]:
    return {place for place, _ in told.hits}


def run(probe: Any, search: Any, **how: Any) -> Any:
    (told,) = audit([probe], search, **how)
    return told


@pytest.mark.parametrize("where", PLACES)
def test_what_lies_in_the_database_is_found_where_it_lies(engine, search, where):
    statement, place = PLACES[where]
    with engine.begin() as db:
        db.connection.driver_connection.execute(statement.replace("%T%", TOKEN))
    told = run(Tables(engine), search)
    assert place in places(told)
    assert told.verdict is Verdict.FOUND
    assert TOKEN not in json.dumps(told.as_json())


def test_a_database_without_them_is_clean_and_was_read_whole(engine, search):
    told = run(Tables(engine), search)
    assert (told.verdict, told.hits) == (Verdict.CLEAN, {})
    assert told.finding.scanned > 1000


def test_what_is_kept_for_a_reason_is_told_apart(engine, search):
    with engine.begin() as db:
        db.execute(text(f"CREATE TABLE public.one AS SELECT '{TOKEN}' AS a, '{TOKEN}' AS b"))
    told = run(Tables(engine), search, keep=["public.one.a"])
    assert places(told) == {"public.one.b"}
    assert {place for place, _ in told.kept} == {"public.one.a"}


def test_a_weak_needle_fails_nothing(engine, search):
    with engine.begin() as db:
        db.execute(text("CREATE TABLE public.one AS SELECT 'ring 0900488' AS a"))
    told = run(Tables(engine), search)
    assert (told.verdict, {place for place, _ in told.weak}) == (Verdict.CLEAN, {"public.one.a"})


def test_a_role_that_sees_a_part_of_the_rows_proves_nothing(database, search):
    bound = create_engine(database.dashboard_url)
    told = run(Tables(bound), search)
    bound.dispose()
    assert told.verdict is Verdict.UNKNOWN
    assert "nexara.people" in {place for place, _ in told.finding.unread}


def test_what_the_planner_remembers_is_found_after_its_row_is_gone(engine, search):
    with engine.begin() as db:
        db.execute(text("CREATE TABLE public.one (a text)"))
        db.execute(text(f"INSERT INTO public.one SELECT '{TOKEN}' FROM generate_series(1, 100)"))
        db.execute(text("ANALYZE public.one"))
        db.execute(text("DELETE FROM public.one"))
    assert run(Tables(engine), search).verdict is Verdict.CLEAN
    assert places(run(Statistics(engine), search)) == {"statistics of public.one.a"}
    with engine.begin() as db:
        db.execute(text("INSERT INTO public.one VALUES ('x')"))
        db.execute(text("ANALYZE public.one"))
    assert run(Statistics(engine), search).verdict is Verdict.CLEAN


def test_a_statement_that_somebody_s_connection_still_shows_is_found(engine, search):
    with engine.connect() as other:
        other.connection.driver_connection.execute(f"SELECT '{TOKEN}'")
        assert places(run(Statistics(engine), search)) == {"statements that run"}


def test_every_type_of_redis_and_the_names_of_keys_are_read(client, search):
    probe = Keys({"database": client}, "nexara")
    assert run(probe, search).verdict is Verdict.CLEAN
    client.set("a", TOKEN)
    client.rpush("b", "x", f"call {NUMBER}")
    client.sadd("c", TOKEN)
    client.hset("d", TOKEN, "x")
    client.hset("e", "x", TOKEN)
    client.zadd("f", {TOKEN: 1})
    client.zadd("g", {"x": 447700900488})
    client.xadd("h", {"x": TOKEN})
    client.set(f"i:{TOKEN}", "x")
    told = run(probe, search)
    assert places(told) >= {f"database {key}" for key in "abcdefgh"} | {"database names of keys"}
    assert TOKEN not in json.dumps(told.as_json())
    assert client.keys("nexara:audit:*") == []


def test_a_type_of_redis_that_nobody_reads_proves_nothing(client, search):
    client.execute_command("SETBIT", "bits", 7, 1)  # a string, as far as Redis says
    assert run(Keys({"database": client}, "nexara"), search).verdict is Verdict.CLEAN
    strange = SimpleNamespace(type=lambda _: b"MBbloom--", scan_iter=lambda **_: iter([b"bloom"]))
    finding = Keys({"database": strange}, "nexara").scan(search)
    assert finding.unread == [("database bloom", "a type that nobody reads: MBbloom--")]


def test_every_version_marker_upload_and_tag_in_every_bucket_is_read(account: Account, versioned, storage, search):
    probe = Objects(account.listed, account.planted)
    client = account._client
    storage.create_bucket("another-bucket")
    client.put_object(Bucket=versioned, Key="old.txt", Body=TOKEN.encode())
    client.put_object(Bucket=versioned, Key="old.txt", Body=b"new")
    client.put_object(Bucket=versioned, Key=f"gone-{TOKEN}", Body=b"x")
    client.delete_object(Bucket=versioned, Key=f"gone-{TOKEN}")
    client.put_object(Bucket=versioned, Key="a.wav", Body=b"\0" * 9, Metadata={"from": "+447700900488"})
    client.put_object(Bucket=versioned, Key="b.wav", Body=b"\0" * 9, Tagging=f"who={TOKEN}")
    client.create_multipart_upload(Bucket=versioned, Key=f"half-{TOKEN}")
    client.put_object(Bucket="another-bucket", Key="c.json", Body=json.dumps({"from": NUMBER}).encode())
    told = run(probe, search)
    assert told.finding.unread == []
    found = places(told)
    assert {
        f"body of version {versioned}/old.txt",
        f"about of version {versioned}/a.wav",
        f"about of version {versioned}/b.wav",
        "body of version another-bucket/c.json",
    } <= found
    assert {what for what in ("version", "marker", "upload") if any(f"key of {what} " in place for place in found)} == {
        "version",
        "marker",
        "upload",
    }
    assert TOKEN not in json.dumps(told.as_json())
    assert [each.key for each in account.listed() if each.key.startswith("audit-")] == []


def test_a_store_that_refuses_proves_nothing(storage, search):
    account = Account(endpoint="http://127.0.0.1:9", region="us-east-1", keys=("a", "b"), bucket="x", timeout=1)
    assert run(Objects(account.listed, account.planted), search).verdict is Verdict.UNKNOWN
    account.close()


def test_logs_are_read_whole_packed_or_plain_and_across_blocks(tmp_path: Path, search, monkeypatch):
    (tmp_path / "a.log").write_text(f"x {TOKEN} y")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.log.gz").write_bytes(gzip.compress(f"from {NUMBER}".encode()))
    (tmp_path / "long.log").write_bytes(b"-" * (4 * 1024 * 1024 - 5) + TOKEN.encode())
    (tmp_path / "none.log").write_text("nothing")
    told = run(Files([tmp_path]), search)
    assert places(told) == {str(tmp_path / name) for name in ("a.log", "deep/b.log.gz", "long.log")}
    assert run(Files([tmp_path / "none.log"]), search).verdict is Verdict.CLEAN
    assert run(Files([tmp_path / "not there"]), search).verdict is Verdict.UNKNOWN


def test_envelopes_are_read_as_what_they_mean(tmp_path: Path, search):
    event = '{"event_id":"1"}\n{"type":"event"}\n' + json.dumps({"message": TOKEN}).replace("c", "\\u0063")
    (tmp_path / "event").write_text(event)
    packed = gzip.compress(json.dumps({"extra": NUMBER}).encode())
    (tmp_path / "packed").write_bytes(packed)
    (tmp_path / "item").write_bytes(b'{"event_id":"1"}\n{"type":"attachment"}\n' + packed)
    told = run(Envelopes([tmp_path]), search)
    assert places(told) == {str(tmp_path / name) for name in ("event", "packed", "item")}


def test_what_a_vendor_still_has_is_found_and_one_that_does_not_answer_proves_nothing(search):
    asked = [Copy("twilio", "call", TOKEN), Copy("telnyx", "recording", "other")]
    has, has_not = (lambda _what, _ref: False), (lambda _what, _ref: True)
    assert places(run(Copies(asked, {"twilio": has, "telnyx": has_not}), search)) == {"twilio call"}
    assert run(Copies(asked, {"twilio": has_not, "telnyx": has_not}), search).verdict is Verdict.CLEAN
    assert run(Copies(asked, {"twilio": has_not}), search).verdict is Verdict.UNKNOWN

    def refuses(_what: str, _ref: str) -> bool:
        raise TimeoutError(TOKEN)

    told = run(Copies(asked[:1], {"twilio": refuses}), search)
    assert told.verdict is Verdict.UNKNOWN
    assert TOKEN not in json.dumps(told.as_json())


class Blind:
    """A probe that plants, and does not see it."""

    name = "blind"

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def scan(self, search: Any) -> Any:
        return self.inner.scan(search)

    def planted(self, search: Any) -> Any:
        finding = self.inner.planted(search)
        finding.hits.pop(next(iter(finding.hits)))
        return finding


def test_a_probe_that_misses_one_spelling_of_what_it_planted_proves_nothing(client, search):
    told = run(Blind(Keys({"database": client}, "nexara")), search)
    assert told.verdict is Verdict.UNKNOWN
    assert "did not find what it planted" in told.finding.unread[0][1]
    assert verdict_of([told]) is Verdict.UNKNOWN
    assert verdict_of([]) is Verdict.UNKNOWN
