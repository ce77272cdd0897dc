"""Every setting says what it is for, and is the only way in which a value comes from outside."""

import ast
import re

from settings import Settings
from tests.architecture.sources import ROOT, files, name, tree

NAMES = {(field.alias or key).upper(): field for key, field in Settings.model_fields.items()}
LOOKS_LIKE_ONE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
MAY_READ_THE_ENVIRONMENT = {
    "sandbox/vendors/recogniser.py": "a switch of the speech model's library",
    "sandbox/stack.py": "what the processes it starts need to run at all",
    "bench/servers.py": "what the servers it starts need to run at all",
}


def test_every_setting_says_in_a_sentence_what_it_is_for():
    for setting, field in NAMES.items():
        said = field.description or ""
        assert len(said.split()) >= 2, setting
        assert said.endswith("."), f"{setting}: a description is a sentence"


def test_every_setting_stands_in_the_readme_and_no_other_does():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    table = page.partition("<!-- settings:")[2].partition("<!-- end of settings -->")[0]
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", table, flags=re.MULTILINE)) == set(NAMES)


def test_what_a_failure_tells_on_call_to_set_is_a_setting():
    told = {
        node.value.value
        for path in files(".py", under=("providers",))
        for node in tree(path).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and LOOKS_LIKE_ONE.fullmatch(node.value.value)
    }
    assert len(told) > 10
    assert told <= set(NAMES)


def test_the_environment_is_read_by_the_settings_alone():
    reading = {
        name(path)
        for path in files(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert reading <= set(MAY_READ_THE_ENVIRONMENT), "take it from settings.py, or give the reason here"
