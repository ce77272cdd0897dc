"""Loggers of SDKs that write whole requests and replies at DEBUG: what was said must not reach a log that way."""

import logging


def quiet(*names: str, level: int = logging.INFO) -> None:
    """Keep these loggers at `level` or above, whatever the level of the root logger."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, level))
