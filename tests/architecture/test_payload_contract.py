"""Payloads are a contract with jobs that wait and with callers that were written before."""

import copy
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from jobs.registry import load
from tests.contracts.payloads import breaks, current, released, written

HOW = "if this is meant: python -m tests.contracts.payloads (its first lines tell when it refuses)"
VALUES = {"uuid": lambda spec: uuid4(), "flag": lambda spec: True, "code": lambda spec: spec["codes"][0]}
VALUES["time"] = lambda spec: datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_nothing_that_is_released_breaks():
    assert list(breaks(released(), current())) == [], HOW


def test_what_is_written_down_is_what_is():
    assert written(released()) == written(current()), HOW


def changed(change):
    contract = copy.deepcopy(current())
    change(contract)
    return list(breaks(current(), contract))


def fields(contract):
    return contract["alerts.send"]["fields"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda new: new.pop("alerts.send"), "alerts.send: the kind is gone"),
        (lambda new: fields(new).pop("member_id"), "alerts.send.member_id: the field is gone"),
        (lambda new: fields(new)["member_id"].update(type="code"), "alerts.send.member_id: was a uuid, is a code"),
        (
            lambda new: fields(new)["alert"].update(codes=["other"]),
            "alerts.send.alert: no longer takes conversation_ended",
        ),
        (
            lambda new: fields(new).update(again={"type": "flag", "required": True}),
            "alerts.send.again: is required, and was not",
        ),
    ],
)
def test_what_breaks_is_named(change, said):
    assert changed(change) == [said]


@pytest.mark.parametrize(
    "change",
    [
        lambda new: fields(new).update(again={"type": "flag", "required": False}),
        lambda new: fields(new)["alert"]["codes"].append("bill_due"),
        lambda new: fields(new)["member_id"].update(required=False),
        lambda new: new.update({"alerts.stop": {"fields": {}}}),
        lambda new: new["alerts.send"].update(queue="other", max_attempts=1),
    ],
)
def test_what_only_adds_breaks_nothing(change):
    assert changed(change) == []


def test_an_optional_field_that_becomes_required_breaks():
    old = copy.deepcopy(current())
    fields(old)["member_id"]["required"] = False
    assert list(breaks(old, current())) == ["alerts.send.member_id: is required, and was not"]


@pytest.mark.parametrize("job", list(load()), ids=lambda job: job.kind)
def test_every_payload_comes_back_from_its_row_as_it_went(job):
    values = {name: VALUES[spec["type"]](spec) for name, spec in job.payload.fields().items()}
    payload = job.payload.read(values)
    assert job.payload.read(payload.stored()) == payload
    assert {type(value) for value in payload.stored().values()} <= {str, bool}
    for name, spec in job.payload.fields().items():
        if spec["type"] == "uuid":
            assert UUID(payload.stored()[name]) == values[name]
