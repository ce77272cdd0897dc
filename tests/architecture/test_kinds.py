"""A kind is the path of its handler: whoever reads it on a page knows which file to open."""

import ast
from pathlib import Path

import pytest

from jobs.registry import HANDLERS, load
from ledger.job import Job
from ledger.payload import Payload
from providers.vendors import Vendors
from schedules.table import TIMETABLE
from tests.architecture.sources import ROOT, files, name, tree

JOBS = list(load())
DECORATORS = {"vendor_job", "database_job", "cursor_job", "plain_job"}
NO_HANDLERS = {
    "jobs/registry.py": "lists the handlers",
    "jobs/queues.py": "what each queue promises",
    "jobs/conversations/words.py": "the words of a conversation, which two handlers read",
    "jobs/alerts/mail.py": "how the mail looks",
    "jobs/privacy/fence.py": "what goes before the first row of an erasure",
    "jobs/privacy/rederive.py": "what is made anew when a part of it has gone",
    "jobs/copies/asking.py": "how any vendor is asked for copies",
    "jobs/usage/facts.py": "what a conversation used, which is written down before it is erased, too",
    "jobs/copies/following.py": "what becomes of the rows of copies, at whichever vendor",
}


def module_of(job: Job) -> str:
    handler = job.in_database or job.in_batches or job.plain or type(job.steps)
    return str(handler.__module__)


def decorated(path: Path) -> list[str]:
    """Return the payloads for which a file declares a handler."""
    calls = (
        decorator
        for node in tree(path).body
        for decorator in getattr(node, "decorator_list", [])
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in DECORATORS
    )
    return [call.args[0].id for call in calls]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
def test_a_kind_is_the_path_of_its_handler(job):
    assert module_of(job) == f"jobs.{job.kind}"
    assert job.payload.__module__ == f"jobs.{job.kind.partition('.')[0]}.payloads"
    assert job.payload.__doc__, "the payload says in a sentence what is asked for"


def test_every_payload_has_exactly_one_handler():
    declared = {
        f"{name(path)}:{node.name}": node.name
        for path in files(".py", under=("jobs",))
        if path.name == "payloads.py"
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "Payload" for base in node.bases)
    }
    handled = [payload for path in files(".py", under=("jobs",)) for payload in decorated(path)]
    assert sorted(handled) == sorted(declared.values())
    assert {job.payload.__name__ for job in JOBS} == set(declared.values())
    ours = [kind for kind in Payload.__subclasses__() if kind.__module__.startswith("jobs.")]
    assert sorted(kind.kind for kind in ours) == sorted({job.kind for job in JOBS})


def test_every_handler_is_in_the_registry_s_list():
    told = {path: decorated(path) for path in files(".py", under=("jobs",)) if path.name != "__init__.py"}
    with_one = {name(path).removesuffix(".py").replace("/", ".") for path, payloads in told.items() if payloads}
    assert sorted(HANDLERS) == list(HANDLERS), "the list is in the order of the alphabet"
    assert with_one == set(HANDLERS)
    assert {name(path): len(payloads) for path, payloads in told.items() if len(payloads) > 1} == {}
    without = {name(path) for path, payloads in told.items() if not payloads and path.name != "payloads.py"}
    assert without == set(NO_HANDLERS), "a file in jobs/ is a handler, or stands here with its reason"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
def test_a_kind_names_the_vendors_that_its_call_asks(job):
    """A worker that lacks a vendor's key says so at its start, since it knows from here what it will need."""
    path = ROOT / f"{module_of(job).replace('.', '/')}.py"
    asked = {
        node.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vendors"
    }
    assert asked - {"public_url"} == set(job.payload.terms.vendors)
    assert all(isinstance(getattr(Vendors, vendor), property) for vendor in job.payload.terms.vendors)


def test_the_timetable_enqueues_kinds_that_are_there():
    from ledger import clock

    for schedule in TIMETABLE:
        assert schedule.payload(clock.now()).kind in {job.kind for job in JOBS}
