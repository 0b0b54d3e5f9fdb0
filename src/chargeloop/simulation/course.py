"""The course of a charge: appear, choose, drive, arrive, queue, plug in, leave; and of a bay: fault, repair, reservation.

Everything happens at its exact instant; only power is fixed for a step at a time (`power.set_power`), so a vehicle
that plugs in within a step draws power from the next one on.
"""

import numpy as np

from chargeloop.model import EvseStatus
from chargeloop.physics import kernel
from chargeloop.recommendation import best_slot, has_enough, summed, worth_saying
from chargeloop.recommendation.later import AMPLE_SOC, LOOK_AHEAD_H, PLANNED_SOC, RESERVE_SOC
from chargeloop.simulation.beside import beside_minutes_s, energy_cny
from chargeloop.simulation.due import join_inbound, join_queue, note, pop, push, quit_inbound, quit_queue
from chargeloop.simulation.power import accrue
from chargeloop.simulation.promises import promised_wait_s
from chargeloop.simulation.state import (
    CURSOR,
    DUE,
    LISTENING,
    LOG_MARGIN,
    LOGGED,
    Due,
    Fact,
    Policy,
    Reason,
    Rules,
    Stage,
    State,
    Whole,
)
from chargeloop.simulation.waits import expected_wait_s, likely_wait_s, recent_arrivals

# NumPy integers: for each plain one, numba would compile a variant of every kernel that it is handed to.
_, _ASKING, _DRIVING, _QUEUED, _PLUGGED_IN, _SERVED, _GAVE_UP, _SPARED = (np.int64(stage) for stage in Stage)
_ARRIVAL, _GIVE_UP, _CHARGE_END, _LEAVE, _ANSWER, _FAULT, _REPAIR, _RESERVATION_END, _RETURN = (np.int64(due) for due in Due)
_REQUESTED, _ARRIVED, _STARTED, _CHARGED, _ENDED, _WITHDRAWN, _STATUS = (np.int64(fact) for fact in Fact)
_FULL, _DEPARTED, _, _BY_FAULT = (np.int64(reason) for reason in Reason)
_, _, _SHORTEST_WAIT, _COMMIT, _PRICED, _EXTERNAL = (np.int64(policy) for policy in Policy)
_NOBODY = _NO_BAY = np.int64(-1)
_NEARBY = np.int64(0)  # column of the option that is reached soonest
_AVAILABLE, _FAULTED = float(EvseStatus.AVAILABLE), float(EvseStatus.FAULTED)

LEAST_SOC = 0.01
# A fast charge that is held back to over twice what it should take, and half an hour, is broken off.
DC_LONGEST, DC_LONGEST_S = 2.0, 1800.0


@kernel
def advance(state: State, rules: Rules, until_s: float) -> bool:
    """Let everything happen that is due before `until_s`. False: the log is full; read it and call again."""
    cars, count = state.cars, state.counts
    while not (count[LISTENING] and count[LOGGED] > state.log.size - LOG_MARGIN):
        d = count[CURSOR]
        appear_s = cars[d].appear_s if d < cars.size else np.inf
        due_s = state.due[0].at_s if count[DUE] > 0 else np.inf
        if min(appear_s, due_s) >= until_s:
            return True
        if appear_s <= due_s:
            count[CURSOR] += 1
            _appear(state, rules, d, appear_s)
        else:
            now_s, kind, who = pop(state)
            _come_to_pass(state, rules, kind, who, now_s)
    return False


@kernel
def _come_to_pass(state: State, rules: Rules, kind: Whole, who: Whole, now_s: float) -> None:
    """Do what is due, unless it has been overtaken by something else."""
    if kind == _ARRIVAL:
        _arrive(state, rules, who, now_s)
    elif kind == _GIVE_UP:
        if state.cars[who].stage == _QUEUED:
            quit_queue(state, state.cars[who].pool, who)
            withdraw(state, who, now_s)
    elif kind == _ANSWER:
        if state.cars[who].stage == _ASKING:
            _go_for(state, who, _NEARBY, now_s)
    elif kind == _RETURN:
        _return(state, rules, who, now_s)
    else:
        _come_to_pass_at_a_bay(state, kind, who, now_s)


@kernel
def _come_to_pass_at_a_bay(state: State, kind: Whole, who: Whole, now_s: float) -> None:
    if kind == _CHARGE_END:
        _end_charge(state, who, now_s)
    elif kind == _LEAVE:
        bay = state.bays[who]
        if bay.driver >= 0 and bay.leave_s == now_s:
            end_session(state, who, now_s, _FULL if bay.charged else _DEPARTED)
    elif kind == _FAULT:
        _break_down(state, who, now_s)
    elif kind == _REPAIR:
        _repair(state, who, now_s)
    elif kind == _RESERVATION_END:
        bay = state.bays[who]
        if bay.reserved_for != -1 and bay.reserved_until_s <= now_s:
            end_reservation(state, who, now_s)


@kernel
def _appear(state: State, rules: Rules, d: Whole, now_s: float) -> None:
    follows = state.cars[d].follows
    if follows:
        note(state, now_s, _REQUESTED, d, _NO_BAY, 0.0)
    if state.option[d, 0] < 0:
        withdraw(state, d, now_s)
    elif not follows:
        _go_for(state, d, _NEARBY, now_s)
    elif rules.policy == _EXTERNAL:
        state.cars[d].stage = _ASKING
        push(state, now_s + rules.answer_s, _ANSWER, d)
    elif rules.policy == _PRICED:
        k, cost_s = _priced_option(state, rules, d, now_s)
        slot = _better_slot(state, rules, d, k, now_s, cost_s) if rules.not_now and state.cars[d].heeds else -1
        if slot >= 0:
            _put_off(state, d, now_s, slot)
        else:
            _go_priced(state, rules, d, k, now_s)
    elif rules.policy >= _SHORTEST_WAIT:
        _go_for(state, d, _soonest_option(state, rules, d, now_s), now_s)
    else:
        _go_for(state, d, state.cars[d].first, now_s)


@kernel
def _soonest_option(state: State, rules: Rules, d: Whole, now_s: float) -> int:
    """Column of the option with the shortest expected drive + wait."""
    best, best_s = 0, np.inf
    for k in range(state.option.shape[1]):
        p, drive_s = state.option[d, k], state.option_s[d, k]
        if p < 0 or drive_s >= best_s:  # sorted by drive time
            break
        total_s = drive_s + expected_wait_s(state, rules, p, now_s, now_s + drive_s)
        if total_s < best_s:
            best, best_s = k, total_s
    return best


@kernel
def _go_priced(state: State, rules: Rules, d: Whole, k: Whole, now_s: float) -> None:
    arrive_s = now_s + state.option_s[d, k]
    state.cars[d].promised_s = promised_wait_s(state, rules, d, state.option[d, k], now_s, arrive_s)
    _go_for(state, d, k, now_s)


@kernel
def _better_slot(state: State, rules: Rules, d: Whole, option: Whole, now_s: float, cost_s: float) -> int:
    """Whole hours, less one, after which driver `d` costs everybody least; -1: has to charge, or not worth it.

    `cost_s`: of `option` now, without the amount. Nobody knows the queues of later on, so at a later hour the price of the
    stay stands for the wait as well. Hours for which there are no prices are no offer.
    """
    car = state.cars[d]
    if not has_enough(car.soc, PLANNED_SOC, RESERVE_SOC):
        return -1
    amount_s = _amount_s(state, rules, d, state.option[d, option], now_s + state.option_s[d, option])
    later_s = np.full(LOOK_AHEAD_H, np.inf)
    known_s = (state.price.shape[1] - 1) * rules.price_bin_s + rules.from_s
    for slot in range(LOOK_AHEAD_H):
        at_s = now_s + 3600.0 * (slot + 1)
        for k in range(state.option.shape[1]):
            p, drive_s = state.option[d, k], state.option_s[d, k]
            end_s = at_s + drive_s + car.said_stay_s
            if p < 0 or drive_s >= later_s[slot] or end_s > known_s:
                break
            begin_s = at_s + drive_s - rules.from_s
            price_s = summed(state.price[p], begin_s, begin_s + car.said_stay_s, rules.price_bin_s)
            later_s[slot] = min(later_s[slot], drive_s + price_s + _amount_s(state, rules, d, p, at_s + drive_s))
    worth_min = worth_saying(amount_s / 60, 1.0, has_enough(car.soc, PLANNED_SOC, AMPLE_SOC))
    return best_slot(cost_s + amount_s, later_s, 60 * worth_min)


@kernel
def _amount_s(state: State, rules: Rules, d: Whole, p: Whole, at_s: float) -> float:
    """What the charge of driver `d` costs at pool `p` if it begins then, in seconds of his time."""
    car = state.cars[d]
    return float(energy_cny(state, d, p, at_s - rules.from_s) / max(car.value_of_time_per_h, 1.0) * 3600)


@kernel
def _put_off(state: State, d: Whole, now_s: float, slot: Whole) -> None:
    """Let driver `d` ask again at a later hour, or not at all."""
    car = state.cars[d]
    car.put_off_s = 3600.0 * (slot + 1)
    if car.anxious:
        car.stage = _SPARED
        car.end_s = now_s
    else:
        push(state, now_s + car.put_off_s, _RETURN, d)


@kernel
def _return(state: State, rules: Rules, d: Whole, now_s: float) -> None:
    """Driver `d`, who was told "not now", is back, on the roads as they are by now."""
    car, hours = state.cars[d], state.traffic.size
    asked = int((car.appear_s - rules.from_s) / 3600) % hours
    slow = state.traffic[int((now_s - rules.from_s) / 3600) % hours] / state.traffic[asked]
    for k in range(state.option.shape[1]):
        state.option_s[d, k] *= slow
    car.appear_s = now_s
    k, _ = _priced_option(state, rules, d, now_s)
    _go_priced(state, rules, d, k, now_s)


@kernel
def _priced_option(state: State, rules: Rules, d: Whole, now_s: float) -> tuple[int, float]:
    """Column of the option with the least likely drive + wait, and delay of those who come later (the price of the stay);
    and the sum of these, s.
    """
    best, best_s = 0, np.inf
    car = state.cars[d]
    stay_s = car.said_stay_s
    for k in range(state.option.shape[1]):
        p, drive_s = state.option[d, k], state.option_s[d, k]
        if p < 0 or drive_s >= best_s:
            break
        arrive_s = now_s + drive_s
        wait_s = likely_wait_s(state, rules, p, now_s, arrive_s, car.risk, best_s - drive_s)
        if drive_s + wait_s >= best_s:
            continue
        begin_s = arrive_s + wait_s - rules.from_s
        total_s = drive_s + wait_s + car.times_price * summed(state.price[p], begin_s, begin_s + stay_s, rules.price_bin_s)
        total_s += beside_minutes_s(state, rules, d, p, begin_s)
        if total_s < best_s:
            best, best_s = k, total_s
    return best, best_s


@kernel
def _go_for(state: State, d: Whole, k: Whole, now_s: float) -> None:
    head_for(state, d, state.option[d, k], now_s, state.option_s[d, k], state.option_m[d, k])


@kernel
def head_for(state: State, d: Whole, p: Whole, now_s: float, drive_s: float, drive_m: float) -> None:
    """Set out for pool `p`."""
    car = state.cars[d]
    if car.hops == 0:
        car.set_out_s = now_s
    state.visited[d, car.hops] = p
    car.stage = _DRIVING
    car.pool = p
    car.arrive_s = now_s + drive_s
    car.drive_s += drive_s
    car.drive_m += drive_m
    join_inbound(state, p, d)
    push(state, car.arrive_s, _ARRIVAL, d)


@kernel
def _arrive(state: State, rules: Rules, d: Whole, now_s: float) -> None:
    car = state.cars[d]
    p = car.pool
    quit_inbound(state, p, d)
    e = _bay_for(state, p, d)
    looks = rules.policy < _SHORTEST_WAIT or not car.follows
    if e < 0 and looks and expected_wait_s(state, rules, p, now_s, now_s) > rules.long_wait_s:
        h = _next_stop(state, d, p)
        if h >= 0:
            car.hops += 1
            slow = state.traffic[int((now_s - rules.from_s) / 3600) % state.traffic.size]
            head_for(state, d, state.near[p, h], now_s, state.near_s[p, h] * slow, state.near_m[p, h])
            return
    state.pools[p].arrivals = recent_arrivals(state, p, now_s) + 1
    state.pools[p].counted_s = now_s
    note(state, now_s, _ARRIVED, d, _NO_BAY, float(p))
    if e >= 0:
        plug_in(state, e, d, now_s)
    else:
        car.stage = _QUEUED
        join_queue(state, p, d)
        push(state, now_s + car.patience_s, _GIVE_UP, d)


@kernel
def _bay_for(state: State, p: Whole, d: Whole) -> int:
    """A bay of pool `p` that driver `d` may use now: the one reserved for him, else the first that is free; -1: none."""
    pool = state.pools[p]
    if pool.idle == 0:
        return -1
    first = -1
    for e in range(pool.begin, pool.end):
        bay = state.bays[e]
        if bay.driver < 0 and bay.broken == 0:
            if bay.reserved_for == d:
                return e
            if first < 0 and bay.reserved_for == -1:
                first = e
    return first


@kernel
def _next_stop(state: State, d: Whole, p: Whole) -> int:
    """Column in `near` of the next pool that the driver has not been at; -1: there is none, or he has driven enough."""
    if state.cars[d].hops == state.visited.shape[1] - 1:
        return -1
    for h in range(state.near.shape[1]):
        seen = False
        for i in range(state.cars[d].hops + 1):
            seen = seen or state.visited[d, i] == state.near[p, h]
        if state.near[p, h] >= 0 and not seen:
            return h
    return -1


@kernel
def plug_in(state: State, e: Whole, d: Whole, now_s: float) -> None:
    car, bay = state.cars[d], state.bays[e]
    driven = min(car.drive_m / 1000 * car.kwh_per_km / car.battery_kwh, max(car.soc - LEAST_SOC, 0.0))
    car.soc -= driven
    car.target -= driven  # what was asked for is energy
    car.stage = _PLUGGED_IN
    car.evse = e
    car.start_s = now_s
    car.start_kwh = bay.meter_kwh
    state.pools[bay.pool].idle -= 1
    if bay.reserved_for == d:
        bay.reserved_for = -1
    bay.driver = d
    bay.charged = False
    bay.power_kw = 0.0
    bay.since_s = now_s
    bay.limit_kw = np.inf
    bay.plan_steps = 0
    longest_s = DC_LONGEST * car.said_stay_s + DC_LONGEST_S + car.stay_s
    bay.leave_s = now_s + (longest_s if car.is_dc else car.stay_s)
    push(state, bay.leave_s, _LEAVE, e)
    note(state, now_s, _STARTED, d, e, 0.0)


@kernel
def _end_charge(state: State, e: Whole, now_s: float) -> None:
    bay = state.bays[e]
    if bay.driver < 0 or bay.charged or bay.charge_end_s != now_s:
        return
    accrue(state, e, now_s)
    car = state.cars[bay.driver]
    car.charged_s = now_s
    bay.charged = True
    bay.power_kw = 0.0
    note(state, now_s, _CHARGED, bay.driver, e, 0.0)
    if car.is_dc:
        bay.leave_s = min(bay.leave_s, now_s + car.stay_s)
        push(state, bay.leave_s, _LEAVE, e)


@kernel
def end_session(state: State, e: Whole, now_s: float, reason: Whole) -> None:
    bay = state.bays[e]
    d = bay.driver
    accrue(state, e, now_s)
    state.cars[d].stage = _SERVED
    state.cars[d].end_s = now_s
    bay.driver = -1
    bay.power_kw = 0.0
    state.pools[bay.pool].idle += 1
    note(state, now_s, _ENDED, d, e, float(reason))
    offer_bay(state, e, now_s)


@kernel
def offer_bay(state: State, e: Whole, now_s: float) -> None:
    """Give an empty bay to the one it is reserved for or, where it is not, to the first in the queue."""
    bay = state.bays[e]
    if bay.broken > 0:
        return
    d = bay.reserved_for if bay.reserved_for != -1 else state.pools[bay.pool].queue_head
    if d >= 0 and state.cars[d].stage == _QUEUED and state.cars[d].pool == bay.pool:
        quit_queue(state, bay.pool, d)
        plug_in(state, e, d, now_s)


@kernel
def withdraw(state: State, d: Whole, now_s: float) -> None:
    """Give up for good."""
    state.cars[d].stage = _GAVE_UP
    state.cars[d].end_s = now_s
    note(state, now_s, _WITHDRAWN, d, _NO_BAY, 0.0)


@kernel
def end_reservation(state: State, e: Whole, now_s: float) -> None:
    bay = state.bays[e]
    bay.reserved_for = -1
    if bay.driver < 0 and bay.broken == 0:
        note(state, now_s, _STATUS, _NOBODY, e, _AVAILABLE)
        offer_bay(state, e, now_s)


@kernel
def _break_down(state: State, e: Whole, now_s: float) -> None:
    bay = state.bays[e]
    bay.broken += 1
    if bay.driver >= 0:
        end_session(state, e, now_s, _BY_FAULT)
    note(state, now_s, _STATUS, _NOBODY, e, _FAULTED)


@kernel
def _repair(state: State, e: Whole, now_s: float) -> None:
    bay = state.bays[e]
    bay.broken -= 1
    if bay.broken == 0:
        note(state, now_s, _STATUS, _NOBODY, e, _AVAILABLE)
        offer_bay(state, e, now_s)
