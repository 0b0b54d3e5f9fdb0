"""One station's transactions, folded from what it told: in whatever order, how often and how late it told it.

Every transaction begins once and ends once. What never closes is closed by a rule, and the session says so.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from chargeloop.model import (
    ChargeEnded,
    Event,
    EvseStatus,
    EvseStatusChanged,
    SessionEnded,
    StopReason,
)
from chargeloop.protocols.ocpp.facts import NAMELESS, Ended, Fact, Reading, Started, StatusTold, Updated
from chargeloop.protocols.ocpp.transaction import Transaction, metered, sampled, started

GRACE = timedelta(minutes=2)  # a stop may be overtaken by the status that follows it
SILENCE = timedelta(hours=48)  # without a word of a running transaction
SAVE_EVERY = timedelta(minutes=5)  # how much of a running transaction a killed server may have to be told again
KEPT = 200  # transactions that are remembered, so that what is told again is known
PLUGGED_OUT = (EvseStatus.AVAILABLE, EvseStatus.RESERVED)


class Outcome(msgspec.Struct):
    """What a fact changed: events for the loop, transactions to be stored, and what was odd about it."""

    events: list[Event] = []
    changed: list[Transaction] = []
    transaction: Transaction | None = None
    odd: list[str] = []


class Ledger:
    """Call `apply` with each fact in the order received, and `tend` now and then. Pure: time comes with the calls.

    `next_number` gives transaction numbers, unique over all stations for ever. `evse_ids[n - 1]`: EVSE at connector n.
    """

    def __init__(self, evse_ids: tuple[str, ...], next_number: Callable[[], int], known: Iterable[Transaction] = ()) -> None:
        self.evse_ids, self._next_number = evse_ids, next_number
        self._by_wire = {each.wire_id: each for each in known}
        self._open = {each.evse_id: each for each in self._by_wire.values() if each.is_open and not each.is_past}
        self._status: dict[int, EvseStatus] = {}
        self._status_at: dict[int, datetime] = {}
        self._is_down = False

    @property
    def open(self) -> tuple[Transaction, ...]:
        return tuple(self._open.values())

    def find(self, wire_id: str) -> Transaction | None:
        return self._by_wire.get(wire_id)

    def at_evse(self, evse_id: str) -> Transaction | None:
        """The transaction that runs there."""
        return self._open.get(evse_id)

    def evse_of(self, wire_id: str | None, connector: int | None) -> str:
        """The EVSE that a message is about: of its transaction, else of its connector, else the first."""
        known = self._by_wire.get(wire_id or "")
        return known.evse_id if known is not None else self._evse(connector) or self.evse_ids[0]

    def knows(self, fact: Started) -> bool:
        """Whether that start was told before."""
        return self._told_before(fact) is not None

    def status(self, connector: int) -> EvseStatus | None:
        return self._status.get(connector)

    def apply(self, fact: Fact, received: datetime) -> Outcome:
        """Take in one fact."""
        outcome = Outcome()
        match fact:
            case Updated():
                self._update(fact, received, outcome)
            case StatusTold():
                self._tell_status(fact, received, outcome)
            case Started():
                self._start(fact, received, outcome)
            case Ended():
                self._end(fact, received, outcome)
        return outcome

    def tend(self, now: datetime) -> Outcome:
        """Close what is over without a stop."""
        outcome = Outcome()
        for each in list(self._by_wire.values()):
            if not each.is_open:
                continue
            if each.over_since is not None and now - each.over_since >= GRACE:
                self._close(each, each.at, "its stop never came: closed since the connector was free again", outcome)
            elif now - each.heard_at >= SILENCE:
                hours = SILENCE.total_seconds() / 3600
                self._close(each, each.at, f"its stop never came: closed after {hours:.0f} hours without a word", outcome)
        return outcome

    # --- starts -------------------------------------------------------------------------------------------------------

    def _start(self, fact: Started, received: datetime, outcome: Outcome) -> None:
        known = self._told_before(fact)
        if known is not None:
            outcome.transaction = known
            outcome.odd.append(
                "told again" if fact.seq_no is None or fact.seq_no in known.seen else "told after what followed it"
            )
            self._note_seq(known, fact.seq_no)
            self._note(known, fact.notes, outcome)
            if known.id_token == NAMELESS and fact.id_token != NAMELESS:
                known.id_token = fact.id_token
            outcome.changed.append(known)
            return
        evse_id = self._evse(fact.connector)
        if evse_id is None:
            outcome.odd.append(f"there is no connector {fact.connector}")
            evse_id = self.evse_ids[0]
        running = self._open.get(evse_id)
        is_past = any(each.started_at > fact.at for each in self._by_wire.values() if each.evse_id == evse_id)
        if running is not None and not is_past:
            self._close(running, min(fact.at, received), "its stop never came: closed when the next transaction began", outcome)
        transaction = self._open_one(fact, evse_id, received, is_past, outcome)
        self._note(transaction, fact.notes, outcome)
        self._read(transaction, fact.readings, outcome)

    def _told_before(self, fact: Started) -> Transaction | None:
        if fact.wire_id is not None:
            return self._by_wire.get(fact.wire_id)
        return next((each for each in self._by_wire.values() if each.told == fact.told), None)

    def _open_one(self, fact: Started, evse_id: str, received: datetime, is_past: bool, outcome: Outcome) -> Transaction:
        number = self._next_number()
        begin = fact.meter_wh if fact.meter_wh is not None else _first_meter(fact.readings)
        meter_wh = max(begin or 0.0, 0.0)
        transaction = Transaction(
            number,
            fact.wire_id or str(number),
            evse_id,
            fact.id_token,
            fact.at,
            meter_wh,
            meter_wh,
            fact.at,
            received,
            fact.told,
        )
        transaction.is_past = is_past
        if begin is None:
            transaction.offset_wh = None
        self._note_seq(transaction, fact.seq_no)
        self._by_wire[transaction.wire_id] = transaction
        while len(self._by_wire) > KEPT:
            oldest = next((wire for wire, each in self._by_wire.items() if not each.is_open), None)
            if oldest is None:
                break
            del self._by_wire[oldest]
        outcome.transaction = transaction
        outcome.changed.append(transaction)
        if is_past:
            outcome.odd.append("began before others that were told already")
        else:
            self._open[evse_id] = transaction
            outcome.events.append(started(transaction))
        return transaction

    # --- in between -----------------------------------------------------------------------------------------------------

    def _update(self, fact: Updated, received: datetime, outcome: Outcome) -> None:
        transaction = self._of_update(fact, received, outcome)
        outcome.transaction = transaction
        if transaction is None:
            return
        self._note(transaction, fact.notes, outcome)
        if fact.seq_no is not None:
            if fact.seq_no in transaction.seen:
                outcome.odd.append("told again")
                return
            self._note_seq(transaction, fact.seq_no)
        if not transaction.is_open:
            outcome.odd.append("told after the end")
            return
        transaction.heard_at, transaction.over_since = received, None
        if fact.id_token is not None and transaction.id_token == NAMELESS:
            transaction.id_token = fact.id_token
            outcome.changed.append(transaction)
        self._read(transaction, fact.readings, outcome)
        if transaction.saved_at is None or received - transaction.saved_at >= SAVE_EVERY:
            transaction.saved_at = received
            outcome.changed.append(transaction)
        if fact.is_charged is not None:
            self._charged(transaction, fact.is_charged, fact.at, outcome)

    def _of_update(self, fact: Updated, received: datetime, outcome: Outcome) -> Transaction | None:
        """The transaction it belongs to. An unknown id is that of the one running there, or of one whose start was lost."""
        evse_id = self._evse(fact.connector)
        if not fact.wire_id:
            return self._open.get(evse_id) if evse_id else None
        known = self._by_wire.get(fact.wire_id)
        if known is not None:
            return known
        is_number = _is_number(fact.wire_id)
        running = self._open.get(evse_id) if evse_id else next(iter(self._open.values()), None)
        if is_number and running is not None:
            outcome.odd.append(f"unknown transaction {fact.wire_id}: taken for {running.wire_id}, which runs there")
            return running
        is_charging = evse_id is not None and self._status.get(fact.connector or 0) is EvseStatus.CHARGING
        if is_number and not (is_charging and _could_be_ours(fact.wire_id)):
            outcome.odd.append(f"unknown transaction {fact.wire_id}")
            return None
        return self._adopt(fact.wire_id, evse_id, fact, received, outcome)

    def _adopt(
        self, wire_id: str, evse_id: str | None, fact: Updated | Ended, received: datetime, outcome: Outcome
    ) -> Transaction:
        """Begin a transaction whose start was not told."""
        first = next((each for each in fact.readings if each.meter_wh is not None), None)
        start = Started(
            connector=self.evse_ids.index(evse_id) + 1 if evse_id else 1,
            at=first.at if first else fact.at,
            id_token=fact.id_token or NAMELESS,
            meter_wh=first.meter_wh if first else None,
            wire_id=wire_id,
        )
        self._start(start, received, outcome)
        adopted = self._by_wire[wire_id]
        adopted.notes.append("its start was not told: counted from its first reading")
        return adopted

    def _read(self, transaction: Transaction, readings: Iterable[Reading], outcome: Outcome) -> None:
        for each in readings:
            sample = sampled(transaction, each)
            if sample is None:
                outcome.odd.append("reading older than the last one")
            elif not transaction.is_past:
                outcome.events.append(sample)

    def _charged(self, transaction: Transaction, is_charged: bool, at: datetime, outcome: Outcome) -> None:
        if is_charged and not transaction.is_charged and not transaction.is_past:
            ended = ChargeEnded(
                at=max(at, transaction.started_at),
                session_id=transaction.session_id,
                evse_id=transaction.evse_id,
                meter_wh=transaction.meter_wh,
            )
            outcome.events.append(ended)
        if is_charged is not transaction.is_charged:
            transaction.is_charged = is_charged
            outcome.changed.append(transaction)

    # --- ends -----------------------------------------------------------------------------------------------------------

    def _end(self, fact: Ended, received: datetime, outcome: Outcome) -> None:
        transaction = self._of_end(fact, received, outcome)
        outcome.transaction = transaction
        if transaction is None:
            outcome.odd.append("stop of an unknown transaction: kept, and no session is billed")
            return
        self._note_seq(transaction, fact.seq_no)
        self._note(transaction, fact.notes, outcome)
        if not transaction.is_open:
            self._ended_again(transaction, fact, outcome)
            return
        self._read(transaction, fact.readings, outcome)
        if fact.meter_wh is not None:
            if fact.meter_wh < transaction.start_wh:
                transaction.notes.append(
                    f"its stop said {fact.meter_wh:.0f} Wh, less than the {transaction.start_wh:.0f} at its start"
                )
            transaction.meter_wh = metered(transaction, fact.meter_wh)
        if fact.at < transaction.started_at:
            transaction.notes.append("its stop is dated before its start: ended with its last reading")
        if transaction.missing:
            transaction.notes.append(f"messages never came: {', '.join(map(str, transaction.missing[:10]))}")
        reason = fact.reason
        if transaction.is_charged and reason is StopReason.DEPARTED:
            reason = StopReason.FULL  # no reason of OCPP says so
        self._finish(transaction, max(fact.at, transaction.at, transaction.started_at), reason, outcome)

    def _of_end(self, fact: Ended, received: datetime, outcome: Outcome) -> Transaction | None:
        evse_id = self._evse(fact.connector)
        if not fact.wire_id:
            return self._open.get(evse_id) if evse_id else None
        known = self._by_wire.get(fact.wire_id)
        if known is not None:
            return known
        running = [each for each in self._open.values() if each.started_at <= fact.at]
        if _is_number(fact.wire_id):
            if len(running) == 1 and not _could_be_ours(fact.wire_id):
                outcome.odd.append(
                    f"unknown transaction {fact.wire_id}: taken for {running[0].wire_id}, the only one that runs"
                )
                return running[0]
            has_begin = any(each.is_begin for each in fact.readings)
            if not has_begin or len(self.evse_ids) > 1:
                return None
        return self._adopt(fact.wire_id, evse_id, fact, received, outcome)

    def _ended_again(self, transaction: Transaction, fact: Ended, outcome: Outcome) -> None:
        outcome.odd.append("its end was told again")
        if fact.meter_wh is not None and fact.meter_wh > transaction.meter_wh + 1:
            late = f"a late stop said {fact.meter_wh:.0f} Wh; {transaction.meter_wh:.0f} were billed"
            if late not in transaction.notes:
                transaction.notes.append(late)
                outcome.odd.append(late)
                outcome.changed.append(transaction)

    def _close(self, transaction: Transaction, at: datetime, why: str, outcome: Outcome) -> None:
        transaction.notes.append(why)
        self._finish(transaction, max(at, transaction.at), StopReason.OTHER, outcome)

    def _finish(self, transaction: Transaction, at: datetime, reason: StopReason, outcome: Outcome) -> None:
        transaction.ended_at, transaction.over_since = at, None
        if transaction.is_past:  # its whole life is told at once
            outcome.events.append(started(transaction))
        elif self._open.get(transaction.evse_id) is transaction:
            del self._open[transaction.evse_id]
        ended = SessionEnded(
            at=at,
            session_id=transaction.session_id,
            evse_id=transaction.evse_id,
            meter_wh=transaction.meter_wh,
            reason=reason,
            notes=tuple(transaction.notes),
        )
        outcome.events.append(ended)
        outcome.changed.append(transaction)

    # --- status -----------------------------------------------------------------------------------------------------------

    def _tell_status(self, fact: StatusTold, received: datetime, outcome: Outcome) -> None:
        if fact.connector == 0:
            self._tell_station(fact, outcome)
            return
        evse_id = self._evse(fact.connector)
        if evse_id is None:
            outcome.odd.append(f"there is no connector {fact.connector}")
            return
        if fact.at < self._status_at.get(fact.connector, fact.at):
            outcome.odd.append("status older than the last one")
            return
        self._status[fact.connector], self._status_at[fact.connector] = fact.status, fact.at
        running = self._open.get(evse_id)
        if running is not None and fact.at >= running.started_at:
            if fact.status in PLUGGED_OUT:
                running.over_since = running.over_since or received
            else:
                running.over_since = None
            self._charged(running, fact.status in (EvseStatus.SUSPENDED_EV, EvseStatus.FINISHING), fact.at, outcome)
        outcome.events.append(EvseStatusChanged(at=fact.at, evse_id=evse_id, status=fact.status, info=fact.info))

    def _tell_station(self, fact: StatusTold, outcome: Outcome) -> None:
        """Down as a whole: so is every connector; well again: as each said last."""
        is_down = fact.status in (EvseStatus.FAULTED, EvseStatus.UNAVAILABLE)
        if not is_down and not self._is_down:
            return
        self._is_down = is_down
        for connector, evse_id in enumerate(self.evse_ids, start=1):
            status = fact.status if is_down else self._status.get(connector, EvseStatus.AVAILABLE)
            outcome.events.append(EvseStatusChanged(at=fact.at, evse_id=evse_id, status=status, info=fact.info))

    # --- small ------------------------------------------------------------------------------------------------------------

    def _evse(self, connector: int | None) -> str | None:
        """None where there is no such connector; a station with one is not asked which."""
        if connector is None:
            return self.evse_ids[0] if len(self.evse_ids) == 1 else None
        return self.evse_ids[connector - 1] if 0 < connector <= len(self.evse_ids) else None

    def _note(self, transaction: Transaction, notes: Iterable[str], outcome: Outcome) -> None:
        for note in notes:
            if note not in transaction.notes:
                transaction.notes.append(note)
                outcome.changed.append(transaction)

    def _note_seq(self, transaction: Transaction, seq_no: int | None) -> None:
        if seq_no is not None and seq_no not in transaction.seen:
            transaction.seen.append(seq_no)


def _first_meter(readings: Iterable[Reading]) -> float | None:
    return next((each.meter_wh for each in readings if each.meter_wh is not None), None)


def _is_number(wire_id: str) -> bool:
    """Ids of 1.6, which we give, are numbers."""
    return wire_id.removeprefix("-").isdecimal()


def _could_be_ours(wire_id: str) -> bool:
    """-1 and 0 stand for a start that was never answered; no number of ours is above 63 bits' end."""
    return _is_number(wire_id) and 0 < int(wire_id) < 2**62
