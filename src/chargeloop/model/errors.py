"""The errors that a user of Chargeloop meets. Each says where and what, in one line."""


class ChargeloopError(Exception):
    """Base of every error raised on purpose."""


class BadInput(ChargeloopError):
    """Something handed in is wrong. `where` is the file, row, field or message; `what` says what to do about it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class Unreachable(ChargeloopError):
    """A peer, port or file that is needed cannot be reached."""
