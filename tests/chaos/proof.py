"""What must hold of every conversation, whatever was killed on its way."""

from collections import Counter
from collections.abc import Mapping

from models.conversations import Channel
from tests.chaos.facts import MESSAGES, SECONDS, Talk, digest
from tests.chaos.vendors import Asked
from tests.chaos.world import World


def prove(world: World, *, asked_again: Mapping[Asked, int] | None = None, lost: int | None = 0) -> None:
    """Check that each conversation had each step once, is metered once and was told of once.

    `asked_again` says how often a vendor was paid once more, because its answer was lost before it could be kept;
    `lost` how many attempts died with their worker. Where that depends on the moment it is None, and a vendor may have
    been paid once more for each attempt that was lost.
    """
    _every_step_once(world)
    _metered_once(world)
    _alerted_once(world)
    _nothing_left(world)
    if lost is None:
        _paid_again_for_what_was_lost(world)
    else:
        assert _paid_beside_once(world) == Counter(asked_again or {})
        assert world.value("SELECT count(*) FROM ledger.attempts WHERE outcome = 'lost'") == lost


def _every_step_once(world: World) -> None:
    wanted: Counter[tuple[str, str, str]] = Counter()
    for talk in world.web.talks:
        wanted += Counter((kind, str(about), "succeeded") for kind, about in steps(talk))
        wanted["alerts.send", str(talk.id), "succeeded"] = len(world.web.members)
    rows = world.sql(
        "SELECT kind, coalesce(payload ->> 'recording_id', payload ->> 'conversation_id'), state FROM ledger.jobs"
        " WHERE queue <> 'upkeep'"
    )
    assert Counter(tuple(row) for row in rows) == wanted
    for table in ("summaries", "leads"):
        found = world.sql(f"SELECT conversation_id FROM nexara.{table}")
        assert Counter(row[0] for row in found) == Counter(talk.id for talk in world.web.talks), table


def _metered_once(world: World) -> None:
    wanted: Counter[tuple[str, str, int]] = Counter()
    for talk in world.web.talks:
        if talk.channel is Channel.CALL:
            wanted[digest(talk.id, "call"), "call_second", SECONDS] += 1
        else:
            wanted += Counter((digest(talk.id, f"message-{n}"), "message", 1) for n in range(MESSAGES))
    rows = world.sql("SELECT event_key, unit, quantity FROM nexara.meter")
    assert Counter(tuple(row) for row in rows) == wanted


def _alerted_once(world: World) -> None:
    wanted = Counter((talk.id, member) for talk in world.web.talks for member in world.web.members)
    rows = world.sql("SELECT conversation_id, to_member FROM nexara.emails_sent")
    assert Counter(tuple(row) for row in rows) == wanted
    keys = Counter(mail["idempotency_key"] for mail in world.vendors.mails())
    assert keys == Counter(f"conversation_ended/{talk}/{member}" for talk, member in wanted)


def _paid_beside_once(world: World) -> Counter[Asked]:
    """Return what was asked of the vendors beside once for each step."""
    wanted: Counter[Asked] = Counter()
    for talk in world.web.talks:
        wanted += Counter([("summarize", talk.mark), ("extract", talk.mark)])
        wanted += Counter(("mail", f"conversation_ended/{talk.id}/{member}") for member in world.web.members)
        if talk.channel is Channel.CALL:
            wanted["transcribe", str(talk.recording)] += 1
    asked = world.vendors.asked(marks(world))
    assert not wanted - asked, "a step was done without its vendor"
    return asked - wanted


def _paid_again_for_what_was_lost(world: World) -> None:
    rows = world.sql(
        "SELECT j.kind, j.payload, count(*) FROM ledger.attempts a JOIN ledger.jobs j ON j.id = a.job_id"
        " WHERE a.outcome = 'lost' GROUP BY j.kind, j.payload"
    )
    mark = {str(talk.id): talk.mark for talk in world.web.talks}
    allowed: Counter[Asked] = Counter()
    for kind, payload, count in rows:
        match kind:
            case "recordings.transcribe":
                allowed["transcribe", payload["recording_id"]] = count
            case "conversations.summarize":
                allowed["summarize", mark[payload["conversation_id"]]] = count
            case "leads.extract":
                allowed["extract", mark[payload["conversation_id"]]] = count
            case "alerts.send":
                key = f"conversation_ended/{payload['conversation_id']}/{payload['member_id']}"
                allowed["mail", key] = count
    again = _paid_beside_once(world)
    print(f"paid again: {again.total()} of at most {allowed.total()}")
    assert not again - allowed


def _nothing_left(world: World) -> None:
    assert world.value("SELECT count(*) FROM ledger.kept_answers") == 0
    written = {row[0] for row in world.sql("SELECT id FROM nexara.conversations")}
    assert written == {talk.id for talk in world.web.talks}


def steps(talk: Talk) -> list[tuple[str, object]]:
    """Return the kinds of jobs of a conversation and what each is about, the alerts left out."""
    heard = [("recordings.transcribe", talk.recording)] if talk.channel is Channel.CALL else []
    read = ("conversations.summarize", "leads.extract", "usage.meter")
    return [*heard, *((kind, talk.id) for kind in read)]


def marks(world: World) -> set[str]:
    """Return the words by which requests are told apart; what was rolled back would show itself here, too."""
    return {talk.mark for talk in [*world.web.talks, *world.web.withdrawn]}
