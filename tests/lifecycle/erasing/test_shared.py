"""What several share goes with the last of them: who leaves takes their words along, what was made is made anew."""

from uuid import UUID, uuid4

from models.erasures import Scope
from tests.lifecycle.erasing.world import World, keys


def a_thread(world: World, owner: UUID, *others: UUID) -> UUID:
    """Plant a chat of several, with a message of each, one of the assistant, and a summary."""
    thread = world.put("conversations", person_id=owner, channel="whatsapp")
    for person in (owner, *others):
        world.put("participants", conversation_id=thread, person_id=person)
        message = world.put("messages", conversation_id=thread, author_id=person)
        world.put("message_media", message_id=message)
    world.put("messages", conversation_id=thread, author_id=None, direction="outbound")
    world.put("summaries", conversation_id=thread)
    return thread


def written_by(world: World, thread: UUID) -> list[UUID | None]:
    return world.sql(
        "SELECT array_agg(author_id ORDER BY author_id NULLS LAST) FROM nexara.messages WHERE conversation_id = :id",
        id=thread,
    )


def of(world: World, thread: UUID, table: str) -> int:
    return world.sql(f"SELECT count(*) FROM nexara.{table} WHERE conversation_id = :id", id=thread)


def test_the_thread_stays_with_another_and_loses_their_words(world):
    anna, ben = world.person()["people"]["id"], world.person()["people"]["id"]
    thread = a_thread(world, anna, ben)
    done = world.erase(world.confirmed(Scope.PERSON, anna), batch=1)
    assert world.one("conversations", thread).person_id == ben
    assert written_by(world, thread) == [ben, None]
    assert of(world, thread, "participants") == 1
    assert of(world, thread, "summaries") == 0
    assert set(done.derived) == {("conversations", thread)}


def test_who_only_took_part_leaves_the_thread_to_whose_it_is(world):
    anna, ben = world.person()["people"]["id"], world.person()["people"]["id"]
    thread = a_thread(world, ben, anna)
    before = world.rows()["conversations", thread]
    done = world.erase(world.confirmed(Scope.PERSON, anna))
    assert world.rows()["conversations", thread] == before
    assert written_by(world, thread) == [ben, None]
    assert of(world, thread, "summaries") == 0
    assert done.derived == [("conversations", thread)]


def test_a_thread_of_two_who_are_meant_both_goes_with_them(world):
    anna, before = world.person(), uuid4()
    world.put("people", id=before)
    world.put("people_merged", from_id=before, into_id=anna["people"]["id"])
    thread = a_thread(world, anna["people"]["id"], before)
    done = world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]), batch=2)
    assert world.one("conversations", thread) is None
    assert done.derived == []


def test_the_last_one_out_takes_the_thread_along(world):
    anna, ben = world.person()["people"]["id"], world.person()["people"]["id"]
    thread = a_thread(world, anna, ben)
    world.erase(world.confirmed(Scope.PERSON, anna))
    world.erase(world.confirmed(Scope.PERSON, ben))
    assert world.one("conversations", thread) is None
    assert not [key for key in world.rows() if key[0] == "messages" and str(thread) in world.rows()[key]]


def test_a_thread_without_a_summary_is_not_made_anew(world):
    anna, ben = world.person()["people"]["id"], world.person()["people"]["id"]
    thread = world.put("conversations", person_id=anna, channel="sms")
    for person in (anna, ben):
        world.put("participants", conversation_id=thread, person_id=person)
    done = world.erase(world.confirmed(Scope.PERSON, anna))
    assert world.one("conversations", thread).person_id == ben
    assert done.derived == []


def test_a_call_that_two_shared_keeps_its_sound_and_forgets_the_number_of_who_left(world):
    anna, ben = world.person(), world.person()
    call = anna["calls"]["id"]
    world.put("participants", conversation_id=anna["conversations"]["id"], person_id=ben["people"]["id"])
    world.erase(world.confirmed(Scope.PERSON, anna["people"]["id"]))
    row = world.one("calls", call)
    assert row.from_identifier_id is None
    assert world.one("recordings", anna["recordings"]["id"]) is not None
    assert world.one("conversations", anna["conversations"]["id"]).person_id == ben["people"]["id"]
    assert keys(ben) <= world.rows().keys()
