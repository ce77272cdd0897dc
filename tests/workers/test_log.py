"""The process's log: our own words and fields, nobody else's."""

import ast
import json
import logging
import re
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.claimed import Ended
from ledger.errors import GiveUp
from ledger.failure import describe
from workers import log

ROOT = Path(__file__).resolve().parents[2]
CANARY = "Dagmar Quist +49 170 5550199 dagmar@example.org"


@pytest.fixture
def untouched() -> Iterator[None]:
    """Leave the process's hooks and loggers as they were."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in (*log.OURS, *log.CHATTY)}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def fail(error: Exception) -> None:
    raise error


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    err = captured.readouterr().err
    assert "Dagmar" not in err
    assert "5550199" not in err
    assert "dagmar" not in err.lower()
    return [json.loads(line) for line in err.splitlines()]


def test_a_run_is_one_line_with_ids_and_codes(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    log.tell(Ended(41, "usage.meter", 1, "succeeded"))
    log.tell(Ended(42, "recordings.transcribe", 3, "dead", "gone", describe("recordings.transcribe", GiveUp("gone"))))
    done, dead = lines(capsys)
    assert done == {
        "at": done["at"],
        "level": "info",
        "event": "job.succeeded",
        "job_id": 41,
        "kind": "usage.meter",
        "attempt": 1,
    }
    assert dead["level"] == "error"
    assert dead["event"] == "job.dead"
    assert (dead["error"], dead["code"], dead["reason"]) == ("GiveUp", "gone", "gone")


def test_text_is_for_eyes(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "text")
    log.tell(Ended(41, "usage.meter", 1, "retryable", "not_ended"))
    line = capsys.readouterr().err
    assert line.endswith(" WARNING  job.retryable  job_id=41  kind=usage.meter  reason=not_ended  attempt=1\n")


def test_the_words_of_a_failure_are_left_out(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    try:
        fail(ValueError(CANARY))
    except ValueError as error:
        log.tell(Ended(7, "leads.extract", 1, "retryable", "bug", describe("leads.extract", error)))
        logging.getLogger("workers.intake").exception("intake.failed")
    run, failed = lines(capsys)
    assert (run["error"], run["code"]) == ("ValueError", "unexpected")
    assert failed["event"] == "intake.failed"
    assert failed["error"] == "ValueError"
    assert "test_log.py" in str(failed["trace"])


def test_a_library_says_where_but_not_what(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    for name in ("urllib3.connectionpool", "httpx", "dramatiq.worker.WorkerThread", "apscheduler", "anything.else"):
        library = logging.getLogger(name)
        library.info("HTTP Request: GET https://store/%s", CANARY)
        library.warning("Retrying after connection broken: %s", CANARY)
        library.error(f"failed for {CANARY}")
        try:
            fail(RuntimeError(CANARY))
        except RuntimeError:
            library.exception(CANARY)
        said = lines(capsys)
        assert [line["level"] for line in said] == ["warning", "error", "error"]
        assert all(line["library"] == name and str(line["place"]).startswith("test_log.py:") for line in said)
        assert said[-1]["error"] == "RuntimeError"


def test_a_field_that_is_not_on_the_list_is_left_out(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    logging.getLogger("jobs.x").warning("x.y", extra={"caller": CANARY, "count": 3, "queue": [CANARY]})
    (line,) = lines(capsys)
    assert line["event"] == "x.y"
    assert line["count"] == 3
    assert line["queue"] == "list"
    assert "caller" not in line


def test_a_line_of_ours_that_is_a_sentence_is_not_repeated(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    sentence = f"called {CANARY}"
    logging.getLogger("jobs.x").warning(sentence)
    logging.getLogger("jobs.x").warning("called %s", CANARY)
    said = lines(capsys)
    assert [line["event"] for line in said] == ["line.unnamed", "line.unnamed"]
    assert all(str(line["place"]).startswith("test_log.py:") for line in said)


def test_a_warning_is_told_without_its_text(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = log._warned
        warnings.warn(f"input_value={CANARY}", UserWarning, stacklevel=1)
    (line,) = lines(capsys)
    assert (line["event"], line["error"]) == ("process.warned", "UserWarning")


def test_debug_is_for_our_own_lines_alone(untouched: None, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("DEBUG", "json")
    logging.getLogger("ledger.run").debug("a.b")
    logging.getLogger("botocore.endpoint").debug("sending %s", CANARY)
    (line,) = lines(capsys)
    assert line["event"] == "a.b"


def test_a_crash_shows_type_and_frames_and_no_text() -> None:
    program = f"""
        import threading
        from workers import log
        log.configure("INFO", "json")
        def thread():
            caller = {CANARY!r}
            raise KeyError(caller)
        running = threading.Thread(target=thread)
        running.start()
        running.join()
        class Loud:
            def __del__(self):
                raise OSError({CANARY!r})
        loud = Loud()
        del loud
        try:
            raise ValueError({CANARY!r})
        except ValueError as error:
            raise RuntimeError({CANARY!r}) from error
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "Dagmar" not in ended.stderr
    assert "5550199" not in ended.stderr
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["error"]) for line in said] == [
        ("thread.crashed", "KeyError"),
        ("process.unraisable", "OSError"),
        ("process.crashed", "RuntimeError"),
    ]


def calls() -> Iterator[tuple[str, ast.Call]]:
    for package in log.OURS:
        for path in sorted((ROOT / package).glob("**/*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    target = node.func.value
                    is_log = isinstance(target, ast.Name) and target.id in ("log", "logger")
                    if is_log and node.func.attr in ("debug", "info", "warning", "error", "exception", "critical"):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_line_of_ours_is_an_event_and_fields_of_the_list() -> None:
    strange = []
    found = 0
    for place, call in calls():
        found += 1
        event = ast.unparse(call.args[0]) if len(call.args) == 1 else ""
        if not re.fullmatch(r"f?'[a-z_.{}]+'", event):
            strange.append(f"{place}: an event is one word such as job.rescued")
        for keyword in call.keywords:
            if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                names = [ast.literal_eval(key) for key in keyword.value.keys if key is not None]
                strange += [f"{place}: {name} is not in workers.log.FIELDS" for name in names if name not in log.FIELDS]
    assert found > 10
    assert not strange, "\n".join(strange)
