"""What is looked for is found: a token in each store, in another spelling each, and in one version of many."""

import hmac
import json
import sys

import pytest
from sqlalchemy import text

from tests.canary.catalog import Column, Table
from tests.canary.planting import CannotPlant, Planter
from tests.canary.seeking import Hit, Sought, in_dump
from tests.canary.tokens import Tokens
from tests.canary.world import World


def test_a_token_that_is_left_in_any_store_is_found_there(world: World):
    tokens, house, stores = Tokens("left"), world.house, world.stores
    number, word, email = tokens.phone("number"), tokens.word("word"), tokens.email("email")
    sought = world.sought(tokens)[0]
    assert not any(stores.found(sought).values())
    spaced = f"0{number[3:7]}-{number[7:10]} {number[10:]}"
    with house.admin.begin() as db:
        db.execute(
            text("CREATE TABLE public.notes AS SELECT 1 AS id, jsonb_build_object('a', CAST(:s AS text)) AS said"),
            {"s": spaced},
        )
        db.execute(
            text("CREATE TABLE public.seen AS SELECT CAST(:w AS text) || n AS a FROM generate_series(1, 9) n"),
            {"w": word},
        )
        db.execute(text("ANALYZE public.seen"))
        db.execute(text("DO $$ BEGIN RAISE LOG '%', '" + email.upper() + "'; END $$"))
    for body in (word.encode().hex(), "clean"):  # the older version has it
        world.s3.put_object(Bucket=world.bucket, Key="left/a.wav", Body=body.encode())
    stores.redis.zadd("left", {email: 1})
    world.remaining.put("twilio", "call", "CA0", caller=number)
    stores.held.append(word.upper())
    print(f"log {spaced}", file=sys.stderr)
    world.stores.sent = lambda: json.dumps({"message": email.replace("@", "%40")})
    found = stores.found(sought)
    assert Hit("public.notes.said", "national", "number") in found["database"]
    assert {hit.made_for for hit in found["statistics"]} == {"word"}
    assert Hit("left", "hex", "word") in found["objects"]
    assert {hit.made_for for hit in found["redis"]} == {"email", "word"}
    assert {hit.where for hit in found["vendors"]} == {"twilio call"}
    assert all(found[store] for store in ("logs", "sentry", "server's log"))
    world.s3.delete_object(Bucket=world.bucket, Key="left/a.wav")
    assert stores.found(sought)["objects"], "a marker hides it, and it is there"


def test_an_upload_that_never_ended_is_found_by_its_key(world: World):
    tokens = Tokens("upload")
    key = f"left/{tokens.word('key')}"
    sought = Sought(tokens.made)
    world.s3.create_multipart_upload(Bucket=world.bucket, Key=key)
    assert {hit.where for hit in world.stores.found(sought)["objects"]} == {"uploads"}


def test_a_digest_under_a_salt_is_found_and_a_row_that_is_spared_is_not():
    tokens, salt = Tokens("salted"), b"s" * 32
    digest = hmac.digest(salt, tokens.phone("number").encode(), "sha256").hex()
    dump = f"COPY nexara.tombstones (business_id, digest) FROM stdin;\nb1\t{digest}\n\\.\n"
    assert in_dump(Sought(tokens.made, [salt]), dump) == {Hit("nexara.tombstones.digest", "keyed_digest", "number")}
    assert in_dump(Sought(tokens.made), dump) == set()
    assert in_dump(Sought(tokens.made, [salt]), dump, spare="b1") == set()


def test_a_table_that_nobody_can_say_whose_it_is_and_a_column_of_no_known_form_stop_the_canary(world: World):
    with world.house.admin.begin() as db:
        db.execute(text("CREATE TABLE nexara.moods (id uuid, mood text)"))
    world.__post_init__()
    with pytest.raises(CannotPlant, match=r"nobody knows whose the rows of \['nexara.moods'\]"):
        world.of_businesses()
    with world.house.admin.begin() as db:
        planter = Planter(db, Tokens("x"), str(world.shop.business))
        for strange in (
            Column("a", "point", required=True, checks=()),
            Column("a", "text", required=True, checks=("a = 'never'||'1'",)),
        ):
            with pytest.raises(CannotPlant, match=r"nobody knows what nexara\.moods\.a takes"):
                planter.plant(Table("nexara.moods", [strange]), {})
