"""A caller whose every detail is a mark: whatever fails, no mark shows where the engine keeps its own records."""

import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator

import pytest

from models.conversations import Channel
from tests.jobs.answers import card, message
from tests.jobs.spoken import CANARY
from workers import log
from workers.bell import Bell, connect

NUMBER = "+447700900987"
MARKS = re.compile(r"quilla|zephyrine|900 ?987|turquoise|marbles", re.IGNORECASE)
QUOTED = f"cannot do this for Quilla Zephyrine, {NUMBER}, quilla.zephyrine@example.com: turquoise marbles"
OWN_RECORDS = ("jobs", "attempts", "workers", "turns", "bell", "ticks", "job_kinds")


@pytest.fixture
def own_log() -> Iterator[Callable[[], None]]:
    """Let this process log as a worker does, at the most talkative level, once it is called; afterwards as before."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in (*log.OURS, *log.CHATTY)}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning
    yield lambda: log.configure("DEBUG", "json")
    sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


@pytest.fixture
def redis_held(house, redis_url) -> Iterator[list[str]]:
    """Carry the jobs through a real Redis, and keep all that it held whenever it held something."""
    client = connect(redis_url)
    bell, held = Bell(client), []

    def carry(queue, jobs):
        bell.push(queue, jobs)
        held.extend(f"{key!r} {client.type(key)!r} {client.lrange(key, 0, -1)!r}" for key in client.scan_iter())
        tokens = []
        while len(tokens) < len(jobs):
            tokens += bell.pop([queue], len(jobs))[1]
        return tokens

    house.carried, house.ring, house.tell = carry, bell.ring, log.tell
    house.asking()
    yield held
    client.close()


def kept(house) -> str:
    return str(house.rows("SELECT answer FROM ledger.kept_answers"))


def break_table(house, table, column):
    house.sql(
        f"CREATE FUNCTION public.refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'no room for %', NEW.{column} USING DETAIL = NEW::text; END $$"
    )
    house.sql(
        f"CREATE TRIGGER refuse BEFORE INSERT ON nexara.{table} FOR EACH ROW EXECUTE FUNCTION public.refuse_{table}()"
    )


def fail_once(house, table=None, column=None):
    """Run the step that is due, which must fail, and mend what was broken."""
    if table:
        break_table(house, table, column)
    (ended,) = house.step()
    assert ended.state == "retryable", ended
    if table:
        assert MARKS.search(kept(house)), "the answer is kept, so that it is not paid for twice"
        house.sql(f"DROP TRIGGER refuse ON nexara.{table}")
    house.later()


def assert_no_mark(house, redis_held, logged, jobs_failed):
    for table in OWN_RECORDS:
        records = str(house.rows(f"SELECT to_jsonb(t) FROM ledger.{table} t"))
        assert not MARKS.search(records), (table, MARKS.search(records))
    assert len(house.attempts()) == jobs_failed
    assert len(logged) >= jobs_failed
    assert not MARKS.search("\n".join(logged)), [line for line in logged if MARKS.search(line)]
    assert all(isinstance(json.loads(line), dict) for line in logged)
    assert redis_held
    assert not MARKS.search("\n".join(redis_held))
    failures = [ended.failure for ended in house.told if ended.failure]
    assert not MARKS.search(repr(failures))


def test_no_mark_of_a_caller_shows_in_records_logs_or_redis_whatever_fails(
    house, new_shop, own_log, redis_held, capsys
):
    own_log()
    shop = new_shop(details=True)
    shop.employ("zephyrine.marbles@example.com")
    shop.call(CANARY.audio, number=NUMBER)
    quoting = {"status": 500, "body": {"err_msg": QUOTED, "message": QUOTED, "error": {"type": "x", "message": QUOTED}}}

    house.wires.deepgram.goes_wrong(quoting, {"status": 200, "body": {"metadata": QUOTED, "results": [QUOTED]}})
    fail_once(house)
    fail_once(house)
    fail_once(house, "transcripts", "body")
    house.step()

    house.wires.anthropic.goes_wrong(quoting, message(content=QUOTED), message(stop_reason=QUOTED))
    fail_once(house)
    fail_once(house)
    fail_once(house)
    fail_once(house, "summaries", "body")
    house.step()

    house.wires.anthropic.goes_wrong(
        card(intent=QUOTED, name=[QUOTED]), message(content=[{"type": "text", "text": QUOTED}])
    )
    fail_once(house)
    fail_once(house)
    fail_once(house, "leads", "verbatim")
    house.step()
    house.step()

    house.wires.resend.goes_wrong(quoting, {"status": 200, "body": {"id": QUOTED}})
    fail_once(house)
    fail_once(house)
    house.drain()
    assert house.counts() == {"transcripts": 1, "summaries": 1, "leads": 1, "meter": 1, "emails_sent": 1}
    assert MARKS.search(str(house.rows("SELECT * FROM nexara.leads"))), "the mark went the whole way"
    assert MARKS.search(str(house.wires.inbox()))
    assert not MARKS.search(str(house.rows("SELECT to_jsonb(t) FROM nexara.meter t")))
    assert not MARKS.search(str(house.rows("SELECT to_jsonb(t) FROM nexara.emails_sent t")))
    assert house.sql("SELECT count(*) FROM ledger.kept_answers") == 0
    assert_no_mark(house, redis_held, capsys.readouterr().err.splitlines(), jobs_failed=12)


def test_no_mark_shows_where_a_step_is_dead_or_its_bug_is_told(house, shop, own_log, redis_held, capsys):
    own_log()
    refusing = {
        "status": 400,
        "body": {"err_msg": QUOTED, "message": QUOTED, "error": {"type": "x", "message": QUOTED}},
    }
    shop.call(CANARY.audio, number=NUMBER)
    house.wires.deepgram.goes_wrong(refusing)
    house.drain()
    shop.chat(Channel.SMS, [("inbound", QUOTED)])
    house.wires.anthropic.goes_wrong(refusing)
    house.drain()
    shop.chat(Channel.WHATSAPP, [("inbound", QUOTED)])
    house.step()
    house.sql("ALTER TABLE nexara.leads ADD CONSTRAINT nobody CHECK (name IS NULL)")
    house.drain()
    assert sorted((job.kind, job.state) for job in house.jobs() if job.state != "succeeded") == [
        ("conversations.summarize", "dead"),
        ("leads.extract", "retryable"),
        ("recordings.transcribe", "dead"),
    ]
    bug = house.attempts("leads.extract")[-1]
    assert (bug.outcome, bug.error_code) == ("bug", "sql_23514")
    assert "leads nobody" in bug.message
    assert_no_mark(house, redis_held, capsys.readouterr().err.splitlines(), jobs_failed=3)


def test_a_provider_s_error_hangs_on_nothing_that_quotes(house, shop):
    """What a handler raises is all there is of it: no cause and no context that a reporter could print."""
    shop.call(CANARY.audio, number=NUMBER)
    raised = []

    class Listening:
        def __getattr__(self, name):
            vendor = getattr(house.usual, name)
            if name not in ("deepgram", "anthropic"):
                return vendor
            return Asked(vendor)

    class Asked:
        def __init__(self, vendor):
            self.vendor = vendor

        def __getattr__(self, name):
            def ask(*given, **told):
                try:
                    return getattr(self.vendor, name)(*given, **told)
                except Exception as error:
                    raised.append("".join(traceback.format_exception(error)) + repr(vars(error)))
                    raise

            return ask

    for wire in (house.wires.deepgram, house.wires.anthropic):
        wire.goes_wrong({"status": 400, "body": {"err_msg": QUOTED, "error": {"type": "x", "message": QUOTED}}})
    house.runner = type(house.runner)(house.registry, house.worker, Listening())
    house.drain()
    house.retry(house.jobs("recordings.transcribe")[0].id)
    house.drain()
    assert len(raised) == 2
    assert not MARKS.search("".join(raised))
