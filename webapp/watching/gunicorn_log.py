"""gunicorn's own messages, through the product's structured log."""

from __future__ import annotations

import logging

from gunicorn.glogging import Logger


class Log(Logger):  # type: ignore[misc]
    """Hands everything to the root logger, which redacts and formats it."""

    def setup(self, cfg: object) -> None:
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.setLevel(logging.WARNING)
