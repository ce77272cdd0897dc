import re
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from models.leads import Intent, Urgency
from sandbox.samples import SampleBusiness, SampleCall, SampleChat, businesses, calls, chats
from sandbox.vendors.audio import SILENT_BELOW, decode

FICTION = re.compile(r"\+44(2079460|7700900)\d{3}|\+1[2-9]\d\d55501\d\d")
"""Ofcom's and NANPA's numbers that are never given to anybody."""

DOMAINS = re.compile(r"[^@\s]+@([a-z-]+\.)?example\.(com|org)")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = {word: str(digit) for digit, word in enumerate(WORDS)}
MULAW = 7
WEEKDAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
SHIPPED_AT_MOST = 3_500_000
CONVERSATIONS: list[SampleCall | SampleChat] = [*calls(), *chats()]


def said(conversation: SampleCall | SampleChat) -> str:
    """Return what the caller or writer said themselves."""
    if isinstance(conversation, SampleCall):
        return "\n".join(turn.text for turn in conversation.turns if turn.speaker == "caller")
    return "\n".join(message.body for message in conversation.messages if message.direction == "inbound")


def digits(text: str) -> str:
    """Return only the digits of a text, written as digits or as words."""
    return "".join(DIGITS.get(word, word if word.isdigit() else "") for word in re.findall(r"\d|[a-z]+", text.lower()))


def name(sample: SampleBusiness | SampleCall | SampleChat) -> str:
    return sample.id


each_call = pytest.mark.parametrize("call", calls(), ids=name)
each_chat = pytest.mark.parametrize("chat", chats(), ids=name)
each_conversation = pytest.mark.parametrize("conversation", CONVERSATIONS, ids=name)


@each_call
def test_a_call_is_heard_as_a_carrier_records_it(call: SampleCall) -> None:
    data = call.audio.read_bytes()
    audio = decode(data)
    assert int.from_bytes(data[20:22], "little") == MULAW
    assert audio.rate == 8_000
    assert len(audio.channels) == 2
    assert 10 <= audio.seconds <= 40


@each_call
def test_the_caller_is_on_channel_0_and_the_agent_on_channel_1(call: SampleCall) -> None:
    audio = decode(call.audio.read_bytes())
    first = [
        next(at for at, sample in enumerate(channel) if abs(sample) > 8 * SILENT_BELOW) for channel in audio.channels
    ]
    assert call.turns[0].speaker == "agent"
    assert first[1] < first[0]


@each_call
def test_speakers_take_turns_in_two_voices(call: SampleCall) -> None:
    speakers = [turn.speaker for turn in call.turns]
    assert all(one != other for one, other in pairwise(speakers))
    assert call.voices["caller"] != call.voices["agent"]


def test_no_audio_is_left_over_and_all_of_it_is_small() -> None:
    shipped = list(calls()[0].audio.parent.iterdir())
    assert sorted(shipped) == sorted(call.audio for call in calls())
    assert sum(file.stat().st_size for file in shipped) <= SHIPPED_AT_MOST


def test_every_conversation_belongs_to_a_sample_business_and_has_an_id_of_its_own() -> None:
    known = {business.id for business in businesses()}
    ids = [conversation.id for conversation in CONVERSATIONS]
    assert {conversation.business for conversation in CONVERSATIONS} == known
    assert len(ids) == len(set(ids))


def test_the_samples_are_as_varied_as_the_demo_promises() -> None:
    assert len(calls()) == 7
    assert {chat.channel for chat in chats()} == {"web_chat", "whatsapp", "sms"}
    assert {conversation.lead.urgency for conversation in CONVERSATIONS} == set(Urgency)
    assert {conversation.lead.intent for conversation in CONVERSATIONS} == set(Intent)


def test_businesses_live_in_real_zones_and_somebody_is_told() -> None:
    for business in businesses():
        assert ZoneInfo(business.zone)
        assert any(member.role == "owner" for member in business.members)
        assert any(member.alerts for member in business.members)


def test_every_number_is_kept_for_fiction() -> None:
    numbers = {call.caller for call in calls()} | {business.line for business in businesses()}
    numbers |= {conversation.lead.phone for conversation in CONVERSATIONS if conversation.lead.phone}
    numbers |= {chat.contact for chat in chats() if chat.channel != "web_chat"}
    assert [number for number in numbers if not FICTION.fullmatch(number)] == []


def test_every_address_is_an_example() -> None:
    addresses = {member.email for business in businesses() for member in business.members}
    addresses |= {conversation.lead.email for conversation in CONVERSATIONS if conversation.lead.email}
    assert [address for address in addresses if not DOMAINS.fullmatch(address)] == []


@each_conversation
def test_a_lead_holds_only_what_was_said(conversation: SampleCall | SampleChat) -> None:
    words, lead = said(conversation), conversation.lead
    if lead.name:
        assert lead.name in words
    if lead.phone and not ("this number" in words and lead.phone == getattr(conversation, "caller", None)):
        assert lead.phone.removeprefix("+44").removeprefix("+1") in digits(words)
    if lead.email:
        assert lead.email in words.replace(" at ", "@").replace(" dot ", ".")
    if lead.requested:
        assert re.fullmatch(rf"({WEEKDAYS}) ([01]\d|2[0-3]):[0-5]\d", lead.requested)
        assert lead.requested.split()[0] in words


@each_chat
def test_a_chat_is_opened_from_outside_and_goes_forward(chat: SampleChat) -> None:
    moments = [message.at for message in chat.messages]
    assert chat.messages[0].direction == "inbound"
    assert moments[0] == 0
    assert moments == sorted(set(moments))
