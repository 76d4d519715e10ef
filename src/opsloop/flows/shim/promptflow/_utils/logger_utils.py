"""`from promptflow._utils.logger_utils import get_logger`."""

import logging


def get_logger(name: str = "promptflow") -> logging.Logger:
    return logging.getLogger(name)


class LoggerFactory:
    @staticmethod
    def get_logger(name: str = "promptflow", **_: object) -> logging.Logger:
        return logging.getLogger(name)


logger = get_logger()
