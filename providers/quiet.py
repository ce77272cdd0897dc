"""Loggers of SDKs that write whole requests and replies at DEBUG: what was said must not reach a log that way."""

import logging


def quiet(*names: str, above: int = logging.DEBUG) -> None:
    """Keep these loggers to what is graver than `above`, whatever the level of the root logger."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, above + 10))
