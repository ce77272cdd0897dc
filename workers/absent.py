"""A library that another would load and not use is taken for absent while that one is loaded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Have `import name` fail until the block ends, unless it is loaded already; afterwards it loads as ever."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # which is how Python is told that there is none
    try:
        yield
    finally:
        del sys.modules[name]
