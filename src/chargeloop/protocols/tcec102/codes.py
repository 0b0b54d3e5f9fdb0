"""The numbers of T/CEC 102: return codes and enums, and which of ours they stand for."""

from enum import IntEnum

from chargeloop.model.errors import ChargeloopError
from chargeloop.model.session import StopReason
from chargeloop.model.station import EvseStatus, Plug


class Ret(IntEnum):
    """`Ret` of a response. Partners may have more."""

    OK = 0
    BUSY = -1
    BAD_SIGNATURE = 4001
    BAD_TOKEN = 4002
    BAD_PARAMETERS = 4003  # of the envelope
    BAD_BUSINESS_PARAMETERS = 4004  # of the data in it
    SYSTEM = 500


class Refused(ChargeloopError):
    """A message that is not taken, with the standard's code for why."""

    def __init__(self, ret: int, why: str) -> None:
        super().__init__(f"Ret {ret}: {why}")
        self.ret = ret
        self.why = why


class ConnectorStatus(IntEnum):
    OFFLINE = 0
    FREE = 1
    OCCUPIED = 2  # not charging
    CHARGING = 3
    RESERVED = 4
    FAULT = 255


class StartChargeSeqStat(IntEnum):
    """The state of a charge that was started over this protocol."""

    STARTING = 1
    CHARGING = 2
    STOPPING = 3
    ENDED = 4
    UNKNOWN = 5


class ConnectorType(IntEnum):
    HOUSEHOLD = 1
    AC_SOCKET = 2
    AC_PLUG = 3
    DC_GUN = 4
    WIRELESS = 5
    OTHER = 6


class SuccStat(IntEnum):
    OK = 0
    FAILED = 1


class FailReason(IntEnum):
    """Why a start or a stop failed."""

    NONE = 0
    NO_SUCH_DEVICE = 1
    OFFLINE = 2
    ALREADY_STOPPED = 3  # stop only


class TokenFail(IntEnum):
    """Why no token is given."""

    NONE = 0
    NO_SUCH_OPERATOR = 1
    WRONG_SECRET = 2


class ConfirmResult(IntEnum):
    OK = 0
    DISPUTED = 1


STATUS_ON_WIRE = {
    EvseStatus.AVAILABLE: ConnectorStatus.FREE,
    EvseStatus.PREPARING: ConnectorStatus.OCCUPIED,
    EvseStatus.CHARGING: ConnectorStatus.CHARGING,
    EvseStatus.SUSPENDED_EV: ConnectorStatus.OCCUPIED,
    EvseStatus.SUSPENDED_EVSE: ConnectorStatus.OCCUPIED,
    EvseStatus.FINISHING: ConnectorStatus.OCCUPIED,
    EvseStatus.RESERVED: ConnectorStatus.RESERVED,
    EvseStatus.UNAVAILABLE: ConnectorStatus.OFFLINE,
    EvseStatus.FAULTED: ConnectorStatus.FAULT,
}
STATUS_FROM_WIRE = {
    ConnectorStatus.OFFLINE: EvseStatus.UNAVAILABLE,
    ConnectorStatus.FREE: EvseStatus.AVAILABLE,
    ConnectorStatus.OCCUPIED: EvseStatus.FINISHING,  # someone stands there, no energy flows
    ConnectorStatus.CHARGING: EvseStatus.CHARGING,
    ConnectorStatus.RESERVED: EvseStatus.RESERVED,
    ConnectorStatus.FAULT: EvseStatus.FAULTED,
}
PLUG_ON_WIRE = {
    Plug.GBT_AC: ConnectorType.AC_PLUG,
    Plug.GBT_DC: ConnectorType.DC_GUN,
    Plug.TYPE2: ConnectorType.OTHER,  # the standard's AC plug and DC gun are those of GB/T 20234
    Plug.CCS2: ConnectorType.OTHER,
}
PLUG_FROM_WIRE = {
    ConnectorType.AC_SOCKET: Plug.GBT_AC,
    ConnectorType.AC_PLUG: Plug.GBT_AC,
    ConnectorType.DC_GUN: Plug.GBT_DC,
}
STOP_REASON_ON_WIRE = {  # 0 user, 1 the client's platform, 2 BMS, 3 charger fault, 4 connector dropped
    StopReason.FULL: 2,
    StopReason.DEPARTED: 0,
    StopReason.REMOTE: 1,
    StopReason.FAULT: 3,
    StopReason.OTHER: 0,
}
