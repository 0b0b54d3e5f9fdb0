"""Commands and charging profiles: answered at once, with the result sent later to the `response_url`; on both sides."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog

from chargeloop.gateway.partners.ocpi.calls import Calls
from chargeloop.gateway.partners.ocpi.client import Client
from chargeloop.gateway.partners.ocpi.offer import SENDER
from chargeloop.gateway.partners.ocpi.peers import Peers
from chargeloop.gateway.partners.ocpi.ports import Begun, Ports, ReserveAt
from chargeloop.gateway.partners.ocpi.request import Call, Reply
from chargeloop.gateway.partners.ocpi.sending import Sending
from chargeloop.model import Unreachable
from chargeloop.protocols.ocpi import Party, Refused, Status, Version, joined, same, write
from chargeloop.protocols.ocpi.commands import (
    COMMANDS,
    LONGEST_HORIZON_S,
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    Asked,
    CancelReservation,
    ChargingProfileResponse,
    ChargingProfileResult,
    ClearProfileResult,
    CommandResponse,
    CommandResult,
    ReserveNow,
    SetChargingProfile,
    StartSession,
    StopSession,
    UnlockConnector,
)

TIMEOUT_S = 30
JUST_STARTED = timedelta(minutes=15)  # for so long nobody is asked again whether a token may charge there
RESULTS: dict[str, type[Any]] = {
    "SET_PROFILE": ChargingProfileResult,
    "CLEAR_PROFILE": ClearProfileResult,
    "GET_PROFILE": ActiveChargingProfileResult,
}
log = structlog.get_logger()
Later = Coroutine[Any, Any, Any]


class Commanding:
    def __init__(
        self, ports: Ports, sending: Sending, calls: Calls, peers: Peers, client: Client, now: Callable[[], datetime]
    ) -> None:
        self._ports, self._sending, self._calls, self._peers = ports, sending, calls, peers
        self._client, self._now = client, now
        self._tasks: set[asyncio.Task[None]] = set()
        self._started: dict[tuple[str, str], datetime] = {}  # location or EVSE, token: when a command came
        self._watchers: dict[str, tuple[str, Party, Party | None]] = {}  # session: whom to tell of its profile, and as whom

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- as CPO: commands -------------------------------------------------------------------------------------------

    async def command(self, call: Call) -> Reply:
        name = call.parts[0]
        if name not in COMMANDS:
            return Reply(write(CommandResponse(result="NOT_SUPPORTED", timeout=0), call.version))
        command = call.read(COMMANDS[name])
        self._check_url(call, command.response_url)
        if isinstance(command, StartSession | ReserveNow | UnlockConnector):
            await self._check_place(command, call.version)
        begun = await self._begin(command, call)
        if begun.result == "ACCEPTED" and isinstance(command, StartSession):
            self._started[command.evse_uid or command.location_id, command.token.uid.casefold()] = self._now()
        if begun.later is not None:
            self._later(call, command.response_url, begun.later, lambda result: CommandResult(result=result), "TIMEOUT")
        return Reply(write(CommandResponse(result=begun.result, timeout=TIMEOUT_S), call.version))

    async def _begin(self, command: Asked, call: Call) -> Begun:
        ports = self._ports
        match command:
            case StartSession() if ports.start:
                return await ports.start(command)
            case StopSession() if ports.stop:
                return await ports.stop(command.session_id)
            case ReserveNow() if ports.reserve:
                kept = await self._calls.reserve(
                    call.sender, command.reservation_id, command.location_id, call.peer.peer_id, command.response_url
                )
                where = (command.location_id, command.evse_uid)
                return await ports.reserve(ReserveAt(kept.number, *where, command.token, command.expiry_date))
            case CancelReservation() if ports.cancel:
                known = await self._calls.reservations(call.sender, command.reservation_id)
                return await ports.cancel(known[-1].number) if known else Begun("ACCEPTED", _said("UNKNOWN_RESERVATION"))
            case UnlockConnector() if ports.unlock:
                return await ports.unlock(command.location_id, command.evse_uid, command.connector_id)
        return Begun("NOT_SUPPORTED")

    async def _check_place(self, command: StartSession | ReserveNow | UnlockConnector, version: Version) -> None:
        locations = await self._sending.things("locations", version, None)
        location = next((each for each in locations if same(each.id, command.location_id)), None)
        evse = None
        if location is not None and command.evse_uid is not None:
            evse = next((each for each in location.evses if same(each.uid, command.evse_uid)), None)
        if location is None or (command.evse_uid is not None and evse is None):
            raise Refused(Status.UNKNOWN_LOCATION, f"there is no {command.location_id} {command.evse_uid or ''}".rstrip())
        needs_connector = evse is not None and "START_SESSION_CONNECTOR_REQUIRED" in evse.capabilities
        if isinstance(command, StartSession) and needs_connector and command.connector_id is None:
            raise Refused(Status.BAD_PARAMETERS, "connector_id: this EVSE needs it")

    def has_just_started(self, uid: str, location_id: str, evse_uid: str | None) -> bool:
        """Whether a command with that token came for that place: then its owner is not asked again."""
        now = self._now()
        self._started = {key: at for key, at in self._started.items() if now - at < JUST_STARTED}
        return any((place, uid.casefold()) in self._started for place in (evse_uid, location_id) if place is not None)

    async def reservation_cancelled(self, number: int) -> None:
        """Tell whose reservation it is that we had to cancel it.

        Raises:
            Unreachable, Refused: they were not told.
        """
        kept = await self._calls.reservation(number)
        peer = None if kept is None else self._peers.find(kept.peer_id)
        if kept is None or peer is None or peer.version is None:
            raise Refused(Status.UNKNOWN_RECEIVER, f"nobody knows reservation {number}")
        result = write(CommandResult(result="CANCELED_RESERVATION"), peer.version)
        await self._client.ask(peer, "POST", kept.response_url, data=result)

    # --- as CPO: profiles -------------------------------------------------------------------------------------------

    async def set_profile(self, call: Call) -> Reply:
        wish, session_id = call.read(SetChargingProfile), call.parts[0]
        self._check_url(call, wish.response_url)
        port = self._ports.set_profile
        begun = Begun("NOT_SUPPORTED") if port is None else await port(session_id, wish.charging_profile)
        if begun.result == "ACCEPTED":
            self._watchers[session_id.casefold()] = call.peer.peer_id, call.sender, call.headers.to
        self._profile_later(call, wish.response_url, begun, lambda result: ChargingProfileResult(result=result))
        return _profile_reply(begun, call)

    async def clear_profile(self, call: Call) -> Reply:
        url, port = self._query_url(call), self._ports.clear_profile
        begun = Begun("NOT_SUPPORTED") if port is None else await port(call.parts[0])
        if begun.result == "ACCEPTED":
            self._watchers.pop(call.parts[0].casefold(), None)
        self._profile_later(call, url, begun, lambda result: ClearProfileResult(result=result))
        return _profile_reply(begun, call)

    async def get_profile(self, call: Call) -> Reply:
        url, port = self._query_url(call), self._ports.active_profile
        duration = call.query.get("duration", "")
        if not duration.isdigit():
            raise Refused(Status.BAD_PARAMETERS, "duration: seconds are needed")
        if port is None:
            return _profile_reply(Begun("NOT_SUPPORTED"), call)
        active = await port(call.parts[0], int(duration))
        result = ActiveChargingProfileResult(result="REJECTED")
        if active is not None:
            result = ActiveChargingProfileResult(result="ACCEPTED", profile=active)
        self._later(call, url, _said(result), lambda same_result: same_result, result)
        return _profile_reply(Begun("ACCEPTED"), call)

    def _profile_later(self, call: Call, url: str, begun: Begun, made: Callable[[str], Any]) -> None:
        if begun.later is not None:
            self._later(call, url, begun.later, made, "UNKNOWN")

    async def profile_changed(self, session_id: str) -> bool:
        """Tell who has set a profile of a session what holds now; whether there was somebody to tell.

        Raises: as `Client.ask`.
        """
        watcher, port = self._watchers.get(session_id.casefold()), self._ports.active_profile
        peer = None if watcher is None else self._peers.find(watcher[0])
        active = None if port is None else await port(session_id, LONGEST_HORIZON_S)
        if active is None:  # the session is over
            self._watchers.pop(session_id.casefold(), None)
        if watcher is None or peer is None or peer.version is None or active is None:
            return False
        url = peer.url("chargingprofiles", SENDER)
        if url is None:
            return False
        data = write(active, peer.version)
        await self._client.ask(peer, "PUT", joined(url, session_id), data=data, to=watcher[1], sender=watcher[2])
        return True

    # --- results, when they are there -------------------------------------------------------------------------------

    def _check_url(self, call: Call, url: str) -> None:
        if not call.peer.may_be_called_at(url):
            raise Refused(Status.BAD_PARAMETERS, "response_url: it is not on a host that you have registered")

    def _query_url(self, call: Call) -> str:
        url = call.query.get("response_url", "")
        self._check_url(call, url)
        return url

    def _later(self, call: Call, url: str, later: Later, made: Callable[[Any], Any], too_late: Any) -> None:
        task = asyncio.create_task(self._tell(call, url, later, made, too_late))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, call: Call, url: str, later: Later, made: Callable[[Any], Any], too_late: Any) -> None:
        try:
            result = await asyncio.wait_for(later, TIMEOUT_S)
        except TimeoutError:
            result = too_late
        except Exception:
            log.exception("a command failed", peer=call.peer.peer_id, path=call.parts)
            result = "FAILED" if too_late == "TIMEOUT" else too_late
        try:
            data = write(made(result), call.version)
            to, us = call.headers.sender, call.headers.to
            correlation = call.headers.correlation_id or None
            await self._client.ask(call.peer, "POST", url, data=data, to=to, sender=us, correlation_id=correlation)
        except (Unreachable, Refused) as error:  # no retries: after the timeout it counts as never delivered
            log.warning("a result was not taken", peer=call.peer.peer_id, why=str(error))

    # --- as eMSP ----------------------------------------------------------------------------------------------------

    async def answered(self, call: Call) -> Reply:
        """What comes on a response_url of ours."""
        asked = await self._calls.find(call.parts[0])
        if asked is None or asked.peer_id != call.peer.peer_id:
            raise Refused(Status.CLIENT_ERROR, "nothing was asked of you there", http=404)
        result = write(call.read(RESULTS.get(asked.kind, CommandResult)), call.version)
        await self._calls.finish(asked, result, self._now())
        if asked.relay_to is not None and asked.relay_url is not None:
            self._relay(asked.relay_to, asked.relay_url, result, asked.to, asked.sender)
        return Reply()

    def _relay(self, peer_id: str, url: str, result: Any, sender: Party | None, to: Party | None) -> None:
        """A hub passes it on to who has asked."""

        async def pass_on() -> None:
            try:
                await self._client.ask(self._peers.named(peer_id), "POST", url, data=result, sender=sender, to=to)
            except (Unreachable, Refused) as error:
                log.warning("a result was not taken", peer=peer_id, why=str(error))

        task = asyncio.create_task(pass_on())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def profile_told(self, call: Call) -> Reply:
        """A CPO keeps us informed."""
        active = call.read(ActiveChargingProfile)
        if self._ports.active is not None:
            await self._ports.active(call.parts[0], active)
        return Reply()


async def _said(result: Any) -> Any:
    return result


def _profile_reply(begun: Begun, call: Call) -> Reply:
    return Reply(write(ChargingProfileResponse(result=begun.result, timeout=TIMEOUT_S), call.version))
