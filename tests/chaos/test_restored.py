"""The drill: a backup from before erasures is restored, and `nexara privacy replay` erases again what it has."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from ledger.clock import now
from tests.chaos.dying import KEYS, Mortal, mortal
from tests.chaos.erasing import Doomed, everything, planted
from tests.chaos.facts import Web
from tests.chaos.restoring import Backup, nexara
from tests.chaos.world import World

ASK = "SELECT nexara.ask_erasure_v1(:b, 'business')"
CONFIRM = "SELECT nexara.confirm_erasure_v1(:b, :e)"
YOUNG, YOUNG_NUMBER = f"CA{4:032x}", "+447700900777"
"""A call, and a number, of after the backup."""
UNWELL = "SELECT kind, state, reason FROM ledger.jobs WHERE state NOT IN ('succeeded', 'cancelled')"
ARRIVES = text(
    "SELECT answer FROM nexara.arrival_v1('twilio', :ref, :at, jsonb_build_array(jsonb_build_object("
    "'kind', 'phone', 'value', CAST(:number AS text))))"
)


@pytest.fixture
def dying(world: World) -> Iterator[Mortal]:
    with mortal(world, world.web.objects) as dying:
        yield dying


@pytest.fixture
def person(world: World) -> Doomed:
    return Doomed(world.web, "+447700900123", "Quillfeather", f"CA{1:032x}", "+447700900456")


@pytest.fixture
def leaver(world: World) -> Doomed:
    web = Web(world.web.engine, world.web.objects)
    return Doomed(web, "+447700900789", "Marrowbone", f"CA{2:032x}", "+447700900321")


@pytest.fixture
def caller(world: World) -> Doomed:
    """Somebody who asks for their recording alone to be deleted."""
    return Doomed(world.web, "+447700900555", "Thistlewood", f"CA{3:032x}", "+447700900666")


def test_what_a_restored_backup_has_again_is_erased_again_and_late_webhooks_stay_out(
    world: World, dying: Mortal, person: Doomed, leaver: Doomed, caller: Doomed
) -> None:
    other = planted(world)
    for doomed in (person, leaver, caller):
        doomed.write()
        dying.puts(doomed.ref)
    before = everything(world, other)
    backup = Backup(world)
    dying.puts(YOUNG)
    person.calls_again(YOUNG, YOUNG_NUMBER)  # the backup does not know of it
    world.dispatcher()
    dying.worker()
    erased = _erased(world, dying, person, leaver, caller)
    called_at = now()
    for process in world.processes:
        process.kill()
    backup.restore()
    world.redis.flushdb()
    nexara(world, "migrate", DATABASE_ADMIN_URL=world.admin_url)
    assert all(token in backup.dumped() for token in (person.number, leaver.token, caller.object))

    told = nexara(world, "privacy", "replay", "--dry-run")
    assert all(str(erasure) in told for erasure in erased)
    assert "4 erasures would be repeated" in told
    nexara(world, "privacy", "replay", "--who", "kim", "--why", "restored last night's backup")
    world.dispatcher()
    dying.worker(WORKER_QUEUES="privacy,privacy_journal")
    dying.until(lambda: _are_gone(world, erased), "the rows are gone, as on-call looks for it")
    _late(person, leaver, called_at)
    dying.worker()
    _complete(world, dying, erased)
    dying.until(lambda: not world.open_jobs(), "every job has ended")
    assert world.sql(UNWELL) == []

    dumped = backup.dumped()
    assert [word for word in (*person.tokens, *leaver.tokens, caller.object) if word in dumped] == []
    assert caller.token in dumped
    assert all(dying.objects.gone(doomed.object) for doomed in (person, leaver, caller))
    assert everything(world, other) == before
    replayed = {row.body["replayed"] for each in (person, leaver) for row in dying.receipts(each.business)}
    assert (replayed, len(dying.receipts(person.business))) == ({True}, 3)
    assert "and the chain holds" in nexara(world, "privacy", "receipts", str(person.business))
    _audited(world, dying, person, leaver)
    assert _arrives(person, "CA-new", now(), person.number) == "accepted"  # they call again, today


def _erased(world: World, dying: Mortal, person: Doomed, leaver: Doomed, caller: Doomed) -> list[UUID]:
    """Erase a person, a member, a recording and a whole business to completion."""
    web = person.web
    asked = [person.erase(), _ask(web, "member", web.members[0]), _ask(web, "recording", caller.call)]
    whole = world.value(ASK, b=leaver.business)
    dying.until(lambda: world.value("SELECT plan <> '{}' FROM nexara.erasures WHERE id = :e", e=whole), "resolved")
    world.sql(CONFIRM, b=leaver.business, e=whole)
    return _complete(world, dying, [*asked, whole])


def _ask(web: Web, scope: str, root: UUID) -> UUID:
    with web.acting() as db:
        return UUID(str(db.scalar(text("SELECT nexara.erase_v1(:scope, :root)"), {"scope": scope, "root": root})))


def _are_gone(world: World, erasures: list[UUID]) -> bool:
    replays = nexara(world, "jobs", "list", "--kind", "privacy.replay", "--json").splitlines()
    if [json.loads(each)["state"] for each in replays] != ["succeeded"] * len(erasures):
        return False
    listed = map(json.loads, nexara(world, "privacy", "list", "--open", "--json").splitlines())
    states = {each["state"] for each in listed if UUID(each["id"]) in erasures}
    return not states & {"resolving", "confirmed", "erasing"}


def _complete(world: World, dying: Mortal, erasures: list[UUID]) -> list[UUID]:
    done = "SELECT count(*) FROM nexara.erasures WHERE id = ANY (:of) AND state = 'completed'"
    dying.until(lambda: world.value(done, of=erasures) == len(erasures), "all erasures are completed")
    return erasures


def _late(person: Doomed, leaver: Doomed, called_at: Any) -> None:
    """What vendors send late stays out, by its id and by the number; of a business that left, whatever comes."""
    early = called_at - timedelta(hours=1)
    assert _arrives(person, person.ref, called_at, "+447700900999") == "erased"
    assert _arrives(person, "CA-late", early, person.number) == "erased"
    assert _arrives(person, YOUNG, now(), "+447700900999") == "erased"
    assert _arrives(person, "CA-late", early, YOUNG_NUMBER) == "erased"
    assert _arrives(leaver, "CA-new", now(), leaver.number) == "erased"


def _audited(world: World, dying: Mortal, person: Doomed, leaver: Doomed) -> None:
    """Look for them as the residual audit does, wherever it can look here: no Sentry, and one carrier."""
    typed = "".join(
        f"phone {each.number}\nname {each.token}\nref twilio/call {each.ref}\nid {each.chat}\n"
        for each in (person, leaver)
    )
    command = (
        "privacy",
        "audit",
        "--needles",
        "-",
        "--business",
        str(person.business),
        "--without",
        "sentry",
        "--log",
        str(world.folder),
        "--json",
    )
    told = json.loads(
        nexara(world, *command, typed=typed, DATABASE_ADMIN_URL=world.admin_url, **KEYS, **dying.addresses)
    )
    assert told["verdict"] == "clean", told


def _arrives(doomed: Doomed, ref: str, at: Any, number: str) -> str:
    with doomed.web.acting() as db:
        return str(db.scalar(ARRIVES, {"ref": ref, "at": at, "number": number}))
