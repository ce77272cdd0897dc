"""What a library would load and not use is hidden from it, and from nobody else."""

import importlib
import subprocess
import sys

import pytest

from workers.absent import absent

NAME = "wsgiref"


def test_a_library_is_absent_until_the_block_ends_and_loads_afterwards():
    sys.modules.pop(NAME, None)
    with pytest.raises(ImportError), absent(NAME):
        importlib.import_module(NAME)
    assert importlib.import_module(NAME).__name__ == NAME


def test_one_that_is_loaded_stays():
    loaded = importlib.import_module(NAME)
    with absent(NAME):
        assert importlib.import_module(NAME) is loaded


def test_sentry_is_loaded_without_what_it_does_not_use_and_httpx_has_it_all_the_same():
    told = "import sys, workers.sentry; assert 'httpcore' not in sys.modules; import httpcore, httpx; httpx.Client()"
    subprocess.run([sys.executable, "-c", told], check=True, timeout=60)
