"""The twin once more, slow and obvious: lists, dicts and a sorted agenda. Written from the rules, not from the kernels."""

import bisect
from dataclasses import dataclass, field

import numpy as np

from chargeloop.model import City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.simulation import Drivers


@dataclass
class Car:
    number: int
    soc: float
    target: float = 1.0
    stage: str = "ahead"
    pool: int = -1
    been: list[int] = field(default_factory=list)
    metres: float = 0.0
    arrive: float = np.nan
    start: float = np.nan
    charged: float = np.nan
    end: float = np.nan
    evse: int = -1
    kwh: float = 0.0


@dataclass
class Bay:
    pool: int
    kw: float
    site: int
    car: Car | None = None
    power: float = 0.0
    since: float = 0.0
    leave: float = np.inf
    full_at: float = np.inf


Reach = tuple[Ints, Floats, Floats]


class Reference:
    """Baseline policies without faults or reservations."""

    def __init__(
        self, city: City, layout: Layout, drivers: Drivers, option: Reach, near: Reach, policy: str, overstay_s: float
    ) -> None:
        self.city, self.layout, self.drivers = city, layout, drivers
        self.option, self.near, self.policy, self.overstay = option, near, policy, overstay_s
        self.cars = [Car(i, soc) for i, soc in enumerate(drivers.soc.tolist())]
        self.bays = [
            Bay(int(p), float(kw), int(layout.station_circuit[layout.evse_station[e]]))
            for e, (p, kw) in enumerate(zip(layout.evse_pool, layout.evse_kw, strict=True))
        ]
        self.queue: dict[int, list[Car]] = {p: [] for p in range(len(layout.pool_station))}
        self.agenda: list[tuple[float, str, int]] = [(t, "appear", i) for i, t in enumerate(drivers.appear_s.tolist())]
        self.base = self._with_parents(layout.circuit_base_kw)

    def run(self, start: float, end: float, step: float) -> None:
        now = start
        while now < end:
            self._set_power(now, step)
            while self.agenda and self.agenda[0][0] < now + step:
                at, what, who = self.agenda.pop(0)
                getattr(self, "_" + what)(at, who)
            now += step
            for bay in self.bays:
                self._book(bay, now)

    def _add(self, at: float, what: str, who: int) -> None:
        bisect.insort(self.agenda, (at, what, who))

    def _set_power(self, now: float, step: float) -> None:
        want = np.zeros(len(self.bays))
        for e, bay in enumerate(self.bays):
            if bay.car is not None and np.isnan(bay.car.charged):
                model = self.city.models[self.drivers.model[bay.car.number]]
                accepts = np.interp(bay.car.soc, model.curve.soc, model.curve.power_kw) if self._is_dc(bay.car) else model.ac_kw
                want[e] = min(accepts, bay.kw) if bay.car.soc < 1 else 0
        site_want = np.bincount([bay.site for bay in self.bays], want, len(self.base)).astype(np.float64)
        room = np.maximum(self.layout.circuit_limit_kw - self.base, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.nan_to_num(np.minimum(room / self._with_parents(site_want), 1), nan=1.0)
        for e, bay in enumerate(self.bays):
            car = bay.car
            if car is None or not np.isnan(car.charged):
                continue
            bay.power = want[e] * min(share[c] for c in self._up(bay.site))
            left = (car.target - car.soc) * self.drivers.battery_kwh[car.number]
            bay.full_at = now if left < 1e-9 else now + left / bay.power * 3600 if bay.power else np.inf
            if bay.full_at <= now + step:
                self._add(bay.full_at, "full", e)

    def _appear(self, at: float, i: int) -> None:
        pools, seconds, metres = (x[i] for x in self.option)
        k = 0
        if self.policy != "nearest":
            sent = self.policy == "commit"
            totals = [s + self._wait(p, at, at + s, sent) if p >= 0 else np.inf for p, s in zip(pools, seconds, strict=True)]
            k = int(np.argmin(totals))
        self._drive(self.cars[i], at, int(pools[k]), seconds[k], metres[k])

    def _drive(self, car: Car, at: float, pool: int, seconds: float, metres: float) -> None:
        car.stage, car.pool, car.arrive = "driving", pool, at + seconds
        car.been.append(pool)
        car.metres += metres
        self._add(car.arrive, "arrive", car.number)

    def _arrive(self, at: float, i: int) -> None:
        car = self.cars[i]
        free = [e for e, bay in enumerate(self.bays) if bay.pool == car.pool and bay.car is None]
        if free:
            self._plug_in(free[0], car, at)
            return
        if self.policy == "nearest" and len(car.been) <= 3 and self._wait(car.pool, at, at, inbound=False) > 900:
            here = zip(*(x[car.pool] for x in self.near), strict=True)
            others = [row for row in here if row[0] >= 0 and row[0] not in car.been]
            if others:
                self._drive(car, at, *others[0])
                return
        car.stage = "queued"
        self.queue[car.pool].append(car)
        self._add(at + self.drivers.patience_s[i], "give_up", i)

    def _give_up(self, at: float, i: int) -> None:
        car = self.cars[i]
        if car.stage == "queued":
            self.queue[car.pool].remove(car)
            car.stage, car.end = "gave up", at

    def _plug_in(self, e: int, car: Car, at: float) -> None:
        bay, i = self.bays[e], car.number
        driven = car.metres / 1000 * self.drivers.kwh_per_km[i] / self.drivers.battery_kwh[i]
        wanted = self.drivers.target[i] - car.soc
        car.soc = max(car.soc - driven, min(0.01, car.soc))
        car.target = car.soc + wanted
        car.stage, car.start, car.evse = "plugged in", at, e
        bay.car, bay.power, bay.since = car, 0.0, at
        stay = self.drivers.stay_s[i]
        bay.leave = at + (2 * self.drivers.said_stay_s[i] + 1800 + stay if self._is_dc(car) else stay)
        self._add(bay.leave, "leave", e)

    def _full(self, at: float, e: int) -> None:
        bay = self.bays[e]
        if bay.car is None or not np.isnan(bay.car.charged) or bay.full_at != at:
            return
        self._book(bay, at)
        bay.power, bay.car.charged = 0.0, at
        if self._is_dc(bay.car):
            bay.leave = min(bay.leave, at + self.drivers.stay_s[bay.car.number])
            self._add(bay.leave, "leave", e)

    def _leave(self, at: float, e: int) -> None:
        bay = self.bays[e]
        if bay.car is None or bay.leave != at:
            return
        self._book(bay, at)
        bay.car.stage, bay.car.end = "served", at
        bay.car, bay.power = None, 0.0
        if self.queue[bay.pool]:
            self._plug_in(e, self.queue[bay.pool].pop(0), at)

    def _book(self, bay: Bay, now: float) -> None:
        if bay.car is not None:
            kwh = bay.power * (now - bay.since) / 3600
            bay.car.kwh += kwh
            bay.car.soc += kwh / self.drivers.battery_kwh[bay.car.number]
        bay.since = now

    def _wait(self, pool: int, now: float, arrive: float, inbound: bool = True) -> float:
        free = [now if bay.car is None else self._expected_end(bay, now) for bay in self.bays if bay.pool == pool]
        ahead = [(now, car) for car in self.queue[pool]]
        if inbound:
            coming = [car for car in self.cars if car.stage == "driving" and car.pool == pool and car.arrive <= arrive]
            ahead += sorted(((car.arrive, car) for car in coming), key=lambda each: each[0])
        for at, car in ahead:
            first = free.index(min(free))
            free[first] = max(free[first], at) + self.drivers.said_stay_s[car.number]
        return max(min(free) - arrive, 0.0)

    def _expected_end(self, bay: Bay, now: float) -> float:
        car = bay.car
        assert car is not None
        i = car.number
        end = car.start + self.drivers.said_stay_s[i]
        if self._is_dc(car) and not np.isnan(car.charged):
            end = car.charged + self.overstay
        elif self._is_dc(car) and bay.power > 0:
            left = (car.target - car.soc) * self.drivers.battery_kwh[i]
            end = now + left / max(bay.power, 0.3 * bay.kw) * 3600 + self.overstay
        return float(max(end, now + 300))

    def _is_dc(self, car: Car) -> bool:
        return bool(self.drivers.is_dc[car.number])

    def _up(self, circuit: int) -> list[int]:
        way = [circuit]
        while self.layout.circuit_parent[way[-1]] >= 0:
            way.append(int(self.layout.circuit_parent[way[-1]]))
        return way

    def _with_parents(self, own: Floats) -> Floats:
        total = np.zeros(len(own))
        for c, value in enumerate(own):
            total[self._up(c)] += value
        return total
