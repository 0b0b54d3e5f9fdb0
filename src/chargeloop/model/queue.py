"""The words and rules of the virtual queue: what a driver answers, how a bay gets lost, and how long anybody has for what."""

from dataclasses import dataclass
from enum import StrEnum

from chargeloop.model.quantities import Count, Positive


class Answer(StrEnum):
    """To the offer of a bay. NONE: the time to answer went by."""

    ACCEPT = "accept"
    SNOOZE = "snooze"
    DECLINE = "decline"
    NONE = "none"


class Loss(StrEnum):
    """Why a bay that was offered or held is not there any more."""

    FAULT = "fault"
    TAKEN = "taken"  # somebody else has plugged in
    CHARGER = "charger"  # the charger gave the reservation up


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """`answer_s`: to answer an offer. `snoozes`: how often the next one may be let go first, each time for `snooze_s`.

    `plug_in_s`: from the arrival to plugging in at a held bay. `near_s`: who is expected within that time stands as good as
    at the station. `keep_s`: a place in the queue is kept this long past the start that was expected.
    """

    answer_s: Positive = 300.0
    snoozes: Count = 2
    snooze_s: Positive = 600.0
    plug_in_s: Positive = 900.0
    near_s: Positive = 600.0
    keep_s: Positive = 7200.0
