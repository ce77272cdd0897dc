"""`nexara limits`: set, seen and taken away at the command line."""

import json

import pytest

from tests.cli.conftest import Run
from tests.ledger.conftest import Ledger


def test_a_vendor_is_limited_seen_and_let_go(ledger: Ledger, desk: Run) -> None:
    told = desk(
        "limits",
        "set",
        "vendor",
        "gallery",
        "--most",
        "5",
        "--calls",
        "90",
        "--per",
        "60",
        "--why",
        "our plan",
        "--who",
        "ada",
    )
    assert (told.exit_code, told.stdout) == (0, "vendor gallery is limited\n")
    assert "vendor gallery: at most 5 at once at most 90 calls in 60 s (0 in flight)" in desk("limits", "list").stdout
    seen = [json.loads(line) for line in desk("limits", "list", "--json").stdout.splitlines()]
    (gallery,) = (one for one in seen if one["name"] == "gallery")
    assert (gallery["most"], gallery["why"], gallery["who"]) == (5, "our plan", "ada")
    assert desk("limits", "drop", "vendor", "gallery").exit_code == 0
    assert "gallery" not in desk("limits", "list").stdout


def test_a_pause_is_ended_by_hand(ledger: Ledger, desk: Run) -> None:
    assert "gallery has no pause" in desk("limits", "unblock", "gallery").stdout
    ledger.sql("SELECT ledger.block_vendor_v1('gallery', interval '5 min')")
    assert "gallery asked" not in desk("limits", "list").stdout
    assert "asked for a pause until" in desk("limits", "list").stdout
    assert "gallery is asked again" in desk("limits", "unblock", "gallery").stdout


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("set", "queue", "nowhere", "--most", "1", "--why", "x"), "there is no such queue"),
        (("set", "queue", "walls", "--why", "x"), "how many at once, or how many calls"),
        (("set", "queue", "walls", "--calls", "3", "--why", "x"), "in a span of time"),
        (("drop", "queue", "walls"), "there is no such limit"),
    ],
)
def test_what_cannot_be_limited_is_said(ledger: Ledger, desk: Run, asked: tuple[str, ...], words: str) -> None:
    refused = desk("limits", *asked)
    assert refused.exit_code == 2
    assert words in refused.stderr
