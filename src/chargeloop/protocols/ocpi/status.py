"""The status codes of OCPI, and the refusal that carries one."""

from enum import IntEnum

from chargeloop.model.errors import ChargeloopError


class Status(IntEnum):
    """1xxx success, 2xxx the client's fault, 3xxx the server's, 4xxx the hub's. x900 to x999 are everybody's own."""

    SUCCESS = 1000
    CLIENT_ERROR = 2000
    BAD_PARAMETERS = 2001
    NOT_ENOUGH_INFORMATION = 2002
    UNKNOWN_LOCATION = 2003
    UNKNOWN_TOKEN = 2004
    SERVER_ERROR = 3000
    CANNOT_USE_CLIENT = 3001
    UNSUPPORTED_VERSION = 3002
    NO_MATCHING_ENDPOINTS = 3003
    HUB_ERROR = 4000
    UNKNOWN_RECEIVER = 4001
    FORWARD_TIMED_OUT = 4002
    NOT_CONNECTED = 4003


class Refused(ChargeloopError):
    """A message that is not taken. `http`: 200 for what reaches the OCPI layer; the standard names the few exceptions."""

    def __init__(self, status: int, why: str, http: int = 200) -> None:
        super().__init__(f"OCPI {status}: {why}")
        self.status = status
        self.why = why
        self.http = http


def is_success(status: int) -> bool:
    return 1000 <= status < 2000
