"""What the platform wants of a charger: handed on with the charger's transaction ids, and taken note of where it is a plan."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from chargeloop.edge.buffer import Message
from chargeloop.edge.plan import is_ours
from chargeloop.edge.wire import new_password_in, payload_of
from chargeloop.gateway.ocpp.credentials import is_taken
from chargeloop.protocols.ocpp import Call, CallError, CallResult, ErrorCode, Frame, Version

if TYPE_CHECKING:
    from chargeloop.edge.station import Station

ABOUT_TRANSACTIONS = frozenset({"MeterValues", "StopTransaction"})


class Above:
    """Of one station."""

    def __init__(self, station: "Station") -> None:
        self._station = station

    def ready(self, message: Message) -> dict[str, Any]:
        """A kept message as the platform is to get it: with the transaction id that it gave, where we gave another."""
        number = message.payload.get("transactionId")
        if message.action in ABOUT_TRANSACTIONS and number in self._station.numbers:
            return {**message.payload, "transactionId": self._station.numbers[number]}
        return message.payload

    async def called(self, call: Call) -> Frame:
        """The charger's answer to a call of the platform."""
        station = self._station
        said = payload_of(call)
        if call.action == "SetChargingProfile" and is_ours(station.version, said):
            is_taken = await self._keep(call.action, said)
            return CallResult(call.message_id, {"status": "Accepted" if is_taken else "Rejected"})
        if call.action == "ClearChargingProfile" and station.plan.stands_in(station.version, said):
            has_gone = station.plan.clear(station.version, said)
            await station.keep_plan()
            return CallResult(call.message_id, {"status": "Accepted" if has_gone else "Unknown"})
        frame = await self._hand_on(call.action, self._with_ids_of_charger(said))
        if frame is None:
            return CallError(call.message_id, ErrorCode.INTERNAL_ERROR, "the charger is not connected to the site controller")
        if isinstance(frame, CallResult):
            await self._note(call.action, said, payload_of(frame))
        return msgspec.structs.replace(frame, message_id=call.message_id)

    async def stop_refused(self, message: Message) -> None:
        """The platform does not accept who we let charge while it could not be asked."""
        if self._station.version is Version.V16:
            wire_id = message.local_id if message.told is None else message.told.get("transactionId", message.local_id)
            running = None if wire_id is None else self._station.ledger.find(str(wire_id))
            action, payload = "RemoteStopTransaction", {"transactionId": wire_id}
        else:
            wire_id = message.payload.get("transactionInfo", {}).get("transactionId")
            running = self._station.ledger.find(str(wire_id))
            action, payload = "RequestStopTransaction", {"transactionId": wire_id}
        if running is not None and running.is_open:
            await self._hand_on(action, payload)

    # --- how ------------------------------------------------------------------------------------------------------------

    async def _hand_on(self, action: str, payload: dict[str, Any]) -> Frame | None:
        connection = self._station.connection
        if connection is None or not connection.is_open:
            return None
        _, frame = await connection.call(action, payload)
        return frame

    def _with_ids_of_charger(self, said: dict[str, Any]) -> dict[str, Any]:
        """1.6: the id that the charger knows a transaction by."""
        ours = {platform_id: local_id for local_id, platform_id in self._station.numbers.items()}
        if said.get("transactionId") in ours:
            return {**said, "transactionId": ours[said["transactionId"]]}
        profile = said.get("csChargingProfiles")
        if isinstance(profile, dict) and profile.get("transactionId") in ours:
            return {**said, "csChargingProfiles": {**profile, "transactionId": ours[profile["transactionId"]]}}
        return said

    async def _note(self, action: str, said: dict[str, Any], answer: Mapping[str, Any]) -> None:
        """What the charger has done that we have to know of."""
        station = self._station
        is_accepted = answer.get("status") == "Accepted"
        match action:
            case "SetChargingProfile" | "ClearChargingProfile" | "UpdateDynamicSchedule" if is_accepted:
                await self._keep(action, self._with_ids_of_charger(said))
            case "SendLocalList" if is_accepted:
                await station.shared.tokens.listed(station.id, said)
            case "ClearCache" if is_accepted:
                await station.shared.tokens.clear_cache()
            case "ChangeConfiguration" | "SetVariables" if is_taken(dict(answer)):
                password = new_password_in(said)
                if password is not None:
                    await station.new_password(password)

    async def _keep(self, action: str, said: dict[str, Any]) -> bool:
        """Part of the platform's plan; False for a profile that we cannot read."""
        station, now, is_taken = self._station, self._station.shared.clock(), True
        match action:
            case "SetChargingProfile":
                evse = said.get("connectorId", said.get("evseId", 0))
                profile = said.get("csChargingProfiles") or said["chargingProfile"]
                is_taken = station.plan.install(station.version, evse, profile, now)
            case "UpdateDynamicSchedule":
                station.plan.update(said["chargingProfileId"], said["scheduleUpdate"], now)
            case "ClearChargingProfile":
                station.plan.clear(station.version, said)
                station.telling.forget()  # ours may have gone with it
        await station.keep_plan()
        return is_taken
