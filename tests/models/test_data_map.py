"""The map as a whole: what one table says of another is true, and the same decisions make the same map."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Text

import models
from models.data_map import About, Category, Finds, LastOut, Matching, Revoke, TenantSays, Who
from models.elsewhere import PLACES, VENDORS
from models.entries import canonical, entries, fingerprint, plain, rows, table_of
from models.forms import CodeOf
from models.named import of_bucket, of_redis
from models.render import main
from tests.classified import all_of_bucket, all_of_redis
from tests.rows import tenant_rows

# Section 4 of the privacy policy, in its order.
NAMED = (
    "Supabase",
    "Vercel",
    "Anthropic",
    "Vapi",
    "Twilio",
    "Telnyx",
    "Deepgram",
    "ElevenLabs",
    "Meta (WhatsApp Business)",
    "360dialog",
    "Lemon Squeezy",
    "Resend",
    "Google",
)
TABLES = {table_of(row).name: row for row in rows()}


def columns():
    return [column for row in rows() for column in table_of(row).columns]


def test_every_vendor_of_the_policy_is_in_the_map_and_no_other_holds_anything_personal():
    assert sorted(place.policy for place in VENDORS if place.policy) == sorted(NAMED)
    assert [place.name for place in VENDORS if place.holds and not place.policy] == []


def test_every_kind_of_data_of_the_policy_has_tables():
    assert {row.__life__.category for row in rows()} == set(Category)


def test_every_copy_lies_in_a_place_of_the_map():
    known = {place.name.partition(" ")[2] for place in PLACES if place.name.startswith(("vendor ", "store "))}
    for column in columns():
        if "at" in column.info:
            assert column.info["at"] in known, column
        if "at_in" in column.info:
            says = column.table.columns[column.info["at_in"]].type
            assert isinstance(says, CodeOf)
            assert set(says.words) <= known, column


def test_what_a_table_says_of_another_is_true():
    businesses = table_of(TABLES["businesses"])
    for row in rows():
        life = row.__life__
        if isinstance(life.ends, TenantSays):
            assert life.ends.setting in businesses.columns
        for each in life.links:
            for ending in each.then if isinstance(each, About | Matching) else ():
                if isinstance(ending, LastOut):
                    assert set(ending.among) <= TABLES.keys()
                if isinstance(ending, Revoke):
                    assert ending.at in table_of(row).columns
            if isinstance(each, Matching) and table_of(row).schema == "nexara" and each.finds not in set(Finds):
                table, _, column = each.finds.partition(".")
                assert column in table_of(TABLES[table]).columns


def test_what_is_made_from_another_table_names_it():
    assert {column.info["made_from"] for column in columns() if "made_from" in column.info} <= TABLES.keys()


def test_every_human_being_is_a_row_that_is_about_itself():
    for who in (Who.PERSON, Who.MEMBER):
        assert About(column="id", who=who, then=TABLES[who].__life__.links[0].then) in TABLES[who].__life__.links


def test_every_row_of_a_tenant_is_found_by_its_business_first():
    for row in tenant_rows():
        assert [column.name for column in table_of(row).primary_key.columns] == ["business_id", "id"]
        assert [column.name for column in row.__mapper__.primary_key] == ["id"]


def test_text_is_text_and_states_are_words():
    # varchar and native enums are not leakproof: their indexes are ignored under row-level security.
    for column in columns():
        assert column.type.compile().upper() not in ("VARCHAR", "CHAR"), column
        if isinstance(column.type, Text):
            assert column.type.length is None


def test_the_meter_leads_to_nobody():
    meter = table_of(TABLES["meter"])
    assert {key.column.table.name for key in meter.foreign_keys} == {"businesses", "meter"}
    assert not any(column.info["holds"].personal for column in meter.columns)


def test_a_mail_that_went_out_keeps_neither_address_nor_body():
    kinds = {column.info["kind"] for column in table_of(TABLES["emails_sent"]).columns}
    assert not kinds & {"EmailAddress", "PersonalText", "DerivedText", "BusinessText", "RawPayload"}


def test_the_fingerprint_is_that_of_the_decisions_and_not_of_their_order_or_wording():
    said = entries()
    assert fingerprint(said) == fingerprint(dict(reversed(said.items())))
    life = TABLES["meter"].__life__
    reworded = replace(life, links=(replace(life.links[0], because="in other words"),))
    assert plain(reworded) == plain(life)
    decided = replace(life, after_cancellation=())
    assert plain(decided) != plain(life)


@pytest.mark.parametrize("word", ["version", "personal", "scrub", "bundles"])
def test_another_meaning_of_a_kind_is_another_map(word):
    said = entries()
    sort, says = said["nexara.leads.phone"]
    assert word in says
    changed = said | {"nexara.leads.phone": (sort, says | {word: "another"})}
    assert fingerprint(changed) != fingerprint(said)


def test_another_key_of_json_is_another_map():
    said = entries()
    sort, says = said["nexara.product_events.props"]
    one_more = says | {"check": says["check"].replace("'feature'", "'feature', 'phone'")}
    assert one_more != says
    assert fingerprint(said | {"nexara.product_events.props": (sort, one_more)}) != fingerprint(said)


def test_a_key_of_the_bucket_or_of_redis_has_a_place_or_is_told():
    one, other = UUID(int=1), UUID(int=2)
    ours = (
        f"{one}/recordings/{other}.wav",
        f"journal/{one}/{other}.json",
        f"receipts/{one}/{other}/{'a' * 64}.json",
        f"audit-{'0' * 16}/1 a",
    )
    assert all(of_bucket(key) for key in ours)
    others = (
        "notes.txt",
        f"exports/{one}.zip",
        f"x/{one}/{other}",
        f"journal/{one}.json",
        f"{one}",
        f"journal/{one}/+447",
    )
    assert [key for key in others if of_bucket(key)] == []
    assert all(of_redis(key, "nexara") for key in ("nexara:speech:1", "nexara:bell", f"nexara:audit:{'0' * 16}:list"))
    others = ("nexara:seen", "nexara:+447700900123:1", "speech:1", "other:speech:1", "nexara:speech:1:x", "nexaraXbell")
    assert [key for key in others if of_redis(key, "nexara")] == []
    for told in (lambda: all_of_bucket(["notes.txt"]), lambda: all_of_redis([b"nexara:seen"], "nexara")):
        with pytest.raises(AssertionError, match="say in models/elsewhere"):
            told()


def test_the_map_says_nothing_twice_and_holds_no_prose_of_kinds():
    assert "SHA-256 of a vendor's id" not in canonical(entries())
    assert len({place.name for place in PLACES}) == len(PLACES)


def test_the_page_of_the_map_is_as_the_map_would_have_it():
    assert main(["--check"]) == 0, "run: python -m models.render"


def test_a_stale_page_is_told(tmp_path, capsys):
    page = tmp_path / "docs" / "data-map.md"
    assert main(["--check"], page) == 1
    assert "stale" in capsys.readouterr().err
    assert main([], page) == 0
    assert main(["--check"], page) == 0


def test_importing_models_imports_every_table():
    folder = Path(models.__file__).parent
    defining = {path.stem for path in folder.glob("*.py") if "    __tablename__ = " in path.read_text(encoding="utf-8")}
    assert defining == {row.__module__.rpartition(".")[2] for row in rows()}
