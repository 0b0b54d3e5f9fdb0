"""Charging profiles: the platform's, kept as the last plan; and our own, that keep out of its way.

Ours limit the whole charger (ChargePointMaxProfile, in 2.x ChargingStationMaxProfile), so that the lower of theirs and ours
counts: at stack level 0 for ever what is safe without us, at level 1 what holds now, and that lapses unless we renew it. A
platform's own profile of that purpose is not handed on but kept by us as part of the plan.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any

from chargeloop.edge.config import ChargerOf, Site
from chargeloop.model import SetChargingProfile
from chargeloop.protocols.ocpp import Abilities, Ledger, Version, schedule, smart, wire_time

SAFE_ID, CAP_ID, SHARE_ID = 2_000_000_001, 2_000_000_002, 2_000_000_010  # far from those of platforms; a share's: + connector
SAFE_LEVEL, CAP_LEVEL, SHARE_LEVEL = 0, 1, 5
STATION_MAX = ("ChargePointMaxProfile", "ChargingStationMaxProfile")


class Plan:
    """What the platform has told one charger. `raw`: as it came, to be kept over a restart; `heard_at`: when it did last."""

    def __init__(self, site: Site, of: ChargerOf, raw: list[dict[str, Any]], heard_at: datetime | None) -> None:
        self._site, self._of, self.heard_at = site, of, heard_at
        self.raw: list[dict[str, Any]] = []
        self._installed: tuple[smart.Installed, ...] = ()
        for each in raw:
            self._take(each)

    def install(self, version: Version, evse: int, profile: dict[str, Any], now: datetime) -> bool:
        """A profile that the charger has taken, or that we keep in its place. False for one that we cannot read."""
        is_taken = self._take({"version": str(version), "evse": evse, "profile": profile, "at": wire_time(now)})
        if is_taken:
            self.heard_at = now
        return is_taken

    def update(self, profile_id: int, changes: Mapping[str, Any], now: datetime) -> None:
        """A Dynamic profile's new values (2.1)."""
        try:
            values = smart.read_update(changes)
            self._installed = smart.update(self._installed, profile_id, values, station=self._station(Version.V21), now=now)
        except smart.Refused:
            return
        self.heard_at = now

    def clear(self, version: Version, said: Mapping[str, Any]) -> bool:
        """As a ClearChargingProfile says; whether anything went."""
        which, evse, criteria = _to_clear(version, said)
        purpose = criteria.get("chargingProfilePurpose")
        before = self._installed
        kept = smart.clear(
            self._installed,
            profile_id=which,
            evse=evse,
            purpose=None if purpose is None else smart.read_purpose(purpose),
            stack_level=criteria.get("stackLevel"),
        )
        self._keep(kept)
        return kept != before

    def stands_in(self, version: Version, said: Mapping[str, Any]) -> bool:
        """Whether a ClearChargingProfile is of profiles that we keep in the charger's place: it knows nothing of them."""
        which, _, criteria = _to_clear(version, said)
        kept = {each.profile.profile_id for each in self._installed if each.profile.purpose is smart.Purpose.STATION_MAX}
        return which in kept or criteria.get("chargingProfilePurpose") in STATION_MAX

    def ended(self, connector: int) -> None:
        """A transaction's own profiles go with it."""
        self._keep(smart.after_transaction(self._installed, connector))

    def has_of_session(self, connector: int) -> bool:
        return any(each.evse == connector and each.profile.purpose is smart.Purpose.TX for each in self._installed)

    def limit_kw(self, version: Version, connector: int, ledger: Ledger, now: datetime, *, is_over: bool) -> float:
        """What the plan allows at a connector now; infinite where it says nothing. `is_over`: what it said of sessions is."""
        over = (smart.Purpose.TX, smart.Purpose.TX_DEFAULT) if is_over else ()
        total = [each for each in self._installed if each.profile.purpose is smart.Purpose.STATION_MAX]
        own = [each for each in self._installed if each.profile.purpose not in (*over, smart.Purpose.STATION_MAX)]
        part = max(len(ledger.open), 1)  # of what limits the whole charger
        return min(
            self._limit_kw(own, version, connector, ledger, now), self._limit_kw(total, version, connector, ledger, now) / part
        )

    def _limit_kw(
        self, profiles: list[smart.Installed], version: Version, connector: int, ledger: Ledger, now: datetime
    ) -> float:
        if not profiles:
            return inf
        transaction = ledger.at_evse(ledger.evse_ids[connector - 1])
        running = {}
        if transaction is not None:
            wire_id = int(transaction.wire_id) if version is Version.V16 else transaction.wire_id
            running[connector] = smart.Running(wire_id, transaction.started_at)
        answer = smart.composite(
            profiles,
            evse=connector,
            start=now,
            duration_s=1,
            unit="W",
            station=self._station(version),
            state=smart.State(running),
            options=smart.Options(default_a=None, default_w=None, phases=self._of.phases or 3),
        )
        period = answer.periods[0]
        limit = period.limit if period.setpoint is None else period.setpoint
        return inf if limit is None else max(sum(limit), 0.0) / 1000

    def _take(self, each: dict[str, Any]) -> bool:
        version = Version(each["version"])
        try:
            new = smart.Installed(each["evse"], smart.read_profile(each["profile"], version.value))
            station, at = self._station(version), datetime.fromisoformat(each["at"])
            state = smart.State({each["evse"]: smart.Running(new.profile.transaction_id)})
            kept = smart.install(self._installed, new, station=station, now=at, state=state)
        except smart.Refused:
            return False
        self.raw.append(each)
        self._keep(kept)
        return True

    def _keep(self, kept: tuple[smart.Installed, ...]) -> None:
        self._installed = kept
        ids = {(each.evse, each.profile.profile_id) for each in kept}
        newest = {(each["evse"], _id(each["profile"])): each for each in self.raw}
        self.raw = [each for key, each in newest.items() if key in ids]

    def _station(self, version: Version) -> smart.Station:
        evses = tuple(range(1, self._of.connectors + 1))
        dc = frozenset(evses) if self._of.phases == 0 else frozenset[int]()
        return smart.Station(version=version.value, evses=evses, dc_evses=dc, voltage_v=self._site.voltage_v, max_schedules=3)


def _id(profile: Mapping[str, Any]) -> int:
    return int(profile.get("chargingProfileId", profile.get("id", 0)))


def is_ours(version: Version, said: Mapping[str, Any]) -> bool:
    """Whether a SetChargingProfile from above has the purpose that is ours at the charger."""
    profile = said.get("csChargingProfiles" if version is Version.V16 else "chargingProfile", {})
    return profile.get("chargingProfilePurpose") in STATION_MAX


def _to_clear(version: Version, said: Mapping[str, Any]) -> tuple[int | None, int | None, Mapping[str, Any]]:
    """Of a ClearChargingProfile: the profile's id, the EVSE, and what else narrows it down."""
    if version is Version.V16:
        return said.get("id"), said.get("connectorId"), said
    criteria = said.get("chargingProfileCriteria", {})
    return said.get("chargingProfileId"), criteria.get("evseId"), criteria


def safe_profile(site: Site, of: ChargerOf, version: Version, now: datetime) -> dict[str, Any]:
    """What holds when we are gone."""
    return _max(site, of, version, site.fallback_kw(of), now, SAFE_ID, SAFE_LEVEL)


def cap_profile(site: Site, of: ChargerOf, version: Version, kw: float, now: datetime) -> dict[str, Any]:
    """What holds now, until we renew it."""
    valid = {"validTo": wire_time(now + timedelta(seconds=site.control.renew_s))}
    return _max(site, of, version, kw, now, CAP_ID, CAP_LEVEL, valid)


def share_profile(
    site: Site, of: ChargerOf, version: Version, kw: float, now: datetime, connector: int, wire_id: str
) -> dict[str, Any]:
    """A session's part, where the charger's cap alone does not tell: it has several, or the platform's plan is over."""
    more = {
        "validTo": wire_time(now + timedelta(seconds=site.control.renew_s)),
        "transactionId": int(wire_id) if version is Version.V16 else wire_id,
    }
    profile = _profile(site, of, version, kw, now, SHARE_ID + connector, SHARE_LEVEL, "TxProfile", more)
    return _set(version, connector, profile)


def clear_share(version: Version, connector: int) -> dict[str, Any]:
    return {"id" if version is Version.V16 else "chargingProfileId": SHARE_ID + connector}


def _max(
    site: Site,
    of: ChargerOf,
    version: Version,
    kw: float,
    now: datetime,
    id_: int,
    level: int,
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    purpose = "ChargePointMaxProfile" if version is Version.V16 else "ChargingStationMaxProfile"
    return _set(version, 0, _profile(site, of, version, kw, now, id_, level, purpose, more or {}))


def _set(version: Version, connector: int, profile: dict[str, Any]) -> dict[str, Any]:
    if version is Version.V16:
        return {"connectorId": connector, "csChargingProfiles": profile}
    return {"evseId": connector, "chargingProfile": profile}


def _profile(
    site: Site,
    of: ChargerOf,
    version: Version,
    kw: float,
    now: datetime,
    id_: int,
    level: int,
    purpose: str,
    more: dict[str, Any],
) -> dict[str, Any]:
    command = SetChargingProfile(at=now, evse_id=of.id, session_id=of.id, start=now, step_s=1, limits_kw=(kw,))
    what = schedule(command, Abilities(of.rate_unit, None, of.phases, site.voltage_v))
    what = {"startSchedule": wire_time(now), **what}
    names = {"stackLevel": level, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute", **more}
    if version is Version.V16:
        return {"chargingProfileId": id_, **names, "chargingSchedule": what}
    return {"id": id_, **names, "chargingSchedule": [{"id": 1, **what}]}
