"""A table or column that doesn't answer the data map's questions does not import, and says what to write."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import UnmappedDataError, at, of
from models.base import NEW_ID, PlatformRow, Row, TenantRow, link
from models.data_map import (
    About,
    Because,
    Category,
    Delete,
    Expires,
    Keep,
    Life,
    Matching,
    NoOne,
    Scrub,
    Through,
    Unlink,
    WhileActive,
    Who,
)
from models.kinds import EmailAddress, Id, PersonalText, PhoneNumber, StoredObject, Word, plain


def life(*links: Any, **more: Any) -> Life:
    said = {"category": Category.BUSINESS, "after_cancellation": (Delete(),), "ends": WhileActive()}
    return Life(links=links or (NoOne(because="it is a test"),), **(said | more))


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    known = set(Row.metadata.tables)
    yield
    assert set(Row.metadata.tables) == known


def refused(say: str) -> Any:
    return pytest.raises(UnmappedDataError, match=say)


def test_a_table_without_a_life():
    with refused("BadOne does not say what becomes of its rows: give it __life__"):

        class BadOne(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"


def test_a_table_without_a_sentence():
    with refused("BadTwo does not say what it is: give it a docstring"):

        class BadTwo(TenantRow):
            __tablename__ = "bad_ones"
            __life__ = life()


def test_a_column_without_a_kind():
    with refused(
        r"BadThree\.note does not say what it holds: give it a kind of models/kinds, say Mapped\[PersonalText\]"
    ):

        class BadThree(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life()
            note: Mapped[str]


def test_a_platform_row_that_does_not_say_why():
    with refused("BadFour does not say why it is of no tenant"):

        class BadFour(PlatformRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life()
            id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)


@pytest.mark.parametrize("who", ["people", "members"])
def test_a_foreign_key_to_a_human_being_that_no_link_mentions(who):
    with refused(f"points at {who} and no link says so"):
        type(
            f"BadFive{who}",
            (TenantRow,),
            {
                "__doc__": "A row.",
                "__tablename__": "bad_ones",
                "__table_args__": (link("of_whom", who),),
                "__life__": life(),
                "__annotations__": {"of_whom": Mapped[Id]},
            },
        )


def test_a_link_that_leads_to_other_people_than_it_says():
    with refused("BadSix.person_id does not point at members"):

        class BadSix(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people"),)
            __life__ = life(About(column="person_id", who=Who.MEMBER, then=(Delete(),)))
            person_id: Mapped[Id]


def test_a_link_without_an_ending():
    with refused("BadSeven.person_id does not say what becomes of the row"):

        class BadSeven(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people"),)
            __life__ = life(About(column="person_id", then=()))
            person_id: Mapped[Id]


def test_something_personal_of_no_one():
    with refused("BadEight.phone holds a telephone number, E.164, yet BadEight concerns no one"):

        class BadEight(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life()
            phone: Mapped[PhoneNumber]


def test_something_personal_of_one_of_several():
    with refused(r"BadNine.note does not say of whom it is: .* one of \['booker_id', 'guest_id'\]"):

        class BadNine(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("guest_id", "people"), link("booker_id", "people"))
            __life__ = life(
                About(column="guest_id", then=(Delete(),)),
                About(column="booker_id", then=(Delete(),)),
            )
            guest_id: Mapped[Id]
            booker_id: Mapped[Id]
            note: Mapped[PersonalText]


def test_of_someone_who_is_no_link():
    with refused("BadTen.note is of 'nobody_id', which is no link of BadTen"):

        class BadTen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people"),)
            __life__ = life(About(column="person_id", then=(Delete(),)))
            person_id: Mapped[Id]
            note: Mapped[PersonalText] = mapped_column(info=of("nobody_id"))


def test_an_object_that_does_not_say_where_it_lies():
    with refused("BadEleven.picture does not say where its copy lies"):

        class BadEleven(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people"),)
            __life__ = life(About(column="person_id", then=(Delete(),)))
            person_id: Mapped[Id]
            picture: Mapped[StoredObject]


def test_unlinking_a_column_that_may_not_be_empty():
    with refused("BadTwelve.person_id is unlinked and may not be null"):

        class BadTwelve(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people", unlink=True),)
            __life__ = life(About(column="person_id", then=(Unlink(),)))
            person_id: Mapped[Id]


def test_scrubbing_a_column_that_may_not_be_empty():
    with refused("BadThirteen.email is scrubbed to null and may not be null"):

        class BadThirteen(PlatformRow, because="it is a test"):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life(Matching(column="email", finds="email", then=(Scrub(),)))
            id: Mapped[Id] = mapped_column(primary_key=True, server_default=NEW_ID)
            email: Mapped[EmailAddress]


def test_a_parent_that_is_none():
    with refused("BadFourteen.call leads to no parent"):

        class BadFourteen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life(Through(column="call"))
            call: Mapped[Word]


@pytest.mark.parametrize(
    "said",
    [
        {"ends": Expires(after=timedelta(days=1), since="born_at")},
        {"event_time": "born_at"},
        {"after_cancellation": (Keep(because=Because.LEGAL, only=("born_at",), until="a year later"),)},
    ],
    ids=["ends", "event_time", "keep"],
)
def test_counting_on_a_column_that_is_not_there(said):
    with refused("counts on 'born_at', which is no column of it"):
        type(
            f"BadFifteen{next(iter(said))}",
            (TenantRow,),
            {"__doc__": "A row.", "__tablename__": "bad_ones", "__life__": life(**said)},
        )


def test_no_end_after_cancellation():
    with refused("BadSixteen does not say how it ends after cancellation"):

        class BadSixteen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life(after_cancellation=())


def test_info_that_nobody_reads():
    with refused(r"BadSeventeen.word says \['pii'\], which nobody reads"):

        class BadSeventeen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life()
            word: Mapped[Word] = mapped_column(info={"pii": True})


def test_no_one_and_someone_at_once():
    with refused("BadEighteen concerns no one and someone"):

        class BadEighteen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __table_args__ = (link("person_id", "people"),)
            __life__ = life(NoOne(because="so"), About(column="person_id", then=(Delete(),)))
            person_id: Mapped[Id]


def test_json_that_does_not_say_which_keys_it_may_have():
    with refused("BadNineteen.told is JSON and does not say which keys it may have"):

        class BadNineteen(TenantRow):
            """A row."""

            __tablename__ = "bad_ones"
            __life__ = life()
            told: Mapped[dict[str, Any]] = plain("Anything", JSONB(), "anything")


def test_where_a_copy_lies_is_kept_beside_what_the_kind_says():
    assert at("twilio", "call", "person_id") == {"at": "twilio", "what": "call", "of": "person_id"}
