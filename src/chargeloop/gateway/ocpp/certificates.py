"""The certificate messages of all versions: requests of a charger in wire names to answers, and calls that follow."""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import structlog
from cryptography import x509

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki import Forward, HashData, Pki, Question

Payload = dict[str, Any]
PNC_VENDOR = "org.openchargealliance.iso15118pnc"  # 1.6: messages of 2.0.1 inside DataTransfer
WRAPPED = ("Authorize", "GetCertificateStatus", "Get15118EVCertificate", "SignCertificate")
NO_CERTIFICATE = {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "NoCertificateAvailable"}
OCSP_RESULT, EXI_RESPONSE = {"ocpp2.1": 18000}, {"ocpp2.1": 17000}  # characters
OCSP_RESULT_BEFORE, EXI_RESPONSE_BEFORE, CHAIN = 5500, 7500, 10000
ISO_15118_2 = "urn:iso:15118:2:"
CERTIFICATE_ACTIONS = frozenset({*WRAPPED, "GetCertificateChainStatus"}) - {"Authorize"}
log = structlog.get_logger()


class Call(NamedTuple):
    """To be sent to the charger once the answer is out."""

    action: str
    payload: Payload


class Reply(NamedTuple):
    """`contract`: the eMAID whose certificate was found good."""

    payload: Payload
    then: Call | None = None
    contract: str | None = None


def is_about_certificates(action: str, payload: Payload) -> bool:
    """Whether an answer is `Certificates`' matter, since it may take the word of others."""
    if action == "Authorize":
        return "certificate" in payload or bool(payload.get("iso15118CertificateHashData"))
    return action in CERTIFICATE_ACTIONS or (action == "DataTransfer" and payload.get("vendorId") == PNC_VENDOR)


class Certificates:
    """What the platform answers when certificates are the matter.

    `forward`: somebody else's service that makes contract certificates; None: ours does.
    """

    def __init__(self, pki: Pki, forward: Forward | None = None) -> None:
        self._pki, self._forward = pki, forward

    async def answer(self, charger_id: str, version: str, action: str, payload: Payload, now: datetime) -> Reply | None:
        """The answer to a call that fits its schema; `now` is wall time.

        None: not about certificates, as an Authorize by card is.
        """
        match action:
            case "Authorize":
                return await self._authorize(charger_id, payload, now)
            case "GetCertificateStatus":
                return await self._certificate_status(version, payload, now)
            case "GetCertificateChainStatus":
                return await self._chain_status(payload, now)
            case "Get15118EVCertificate":
                return await self._ev_certificate(charger_id, version, payload, now)
            case "SignCertificate":
                return self._sign(charger_id, version, payload, now)
        return None

    async def transferred(
        self, charger_id: str, payload: Payload, read: Callable[[str, str], Payload], now: datetime
    ) -> Reply | None:
        """1.6: the answer to a DataTransfer that holds one of the 2.0.1 messages. None: of another vendor.

        `read`: a request of 2.0.1, by action and JSON text, once it fits its schema; it raises BadInput or a
        msgspec.DecodeError.
        """
        if payload["vendorId"] != PNC_VENDOR:
            return None
        action = payload.get("messageId", "")
        if action not in WRAPPED:
            return Reply({"status": "UnknownMessageId"})
        try:
            request = read(action, payload.get("data", ""))
        except (BadInput, msgspec.DecodeError) as error:
            log.warning("message that cannot be read", charger_id=charger_id, action=action, what=str(error))
            return Reply({"status": "Rejected"})
        if action == "SignCertificate":  # what a charger shows us it renews by the message of 1.6 itself
            request = {"certificateType": "V2GCertificate"} | request
        reply = await self.answer(charger_id, "ocpp2.0.1", action, request, now) or Reply(NO_CERTIFICATE)
        then = Call("DataTransfer", _wrapped(reply.then.action, reply.then.payload)) if reply.then is not None else None
        return Reply({"status": "Accepted", "data": msgspec.json.encode(reply.payload).decode()}, then, reply.contract)

    def renewals(self, connected: Mapping[str, str], now: datetime) -> list[tuple[str, Call]]:
        """Which chargers to remind of which certificate (A02, A03), and how. `connected`: version by charger."""
        purposes = ((self._pki.stations, _trigger_own), (self._pki.v2g, _trigger_v2g))
        return [
            (charger_id, trigger(version))
            for charger_id, version in connected.items()
            for authority, trigger in purposes
            if authority.is_due(charger_id, now)
        ]

    async def _authorize(self, charger_id: str, payload: Payload, now: datetime) -> Reply | None:
        """C07: contract certificates, as a chain or as hash data."""
        chain, told = payload.get("certificate"), payload.get("iso15118CertificateHashData", [])
        if chain is None and not told:
            return None
        emaid = payload["idToken"]["idToken"]
        try:
            questions = [_question("iso15118CertificateHashData", each) for each in told]
            status, thought = await self._pki.contracts.authorise(emaid, now, questions, chain)
        except BadInput as error:
            log.warning("contract that cannot be read", charger_id=charger_id, what=str(error))
            status, thought = "CertChainError", "Invalid"
        answer = {"idTokenInfo": {"status": thought}, "certificateStatus": status}
        return Reply(answer, contract=emaid if thought == "Accepted" else None)

    async def _certificate_status(self, version: str, payload: Payload, now: datetime) -> Reply:
        """M06: what the charger staples to its V2G certificate."""
        try:
            _, der = await self._pki.statuses.response(_question("ocspRequestData", payload["ocspRequestData"]), now)
            result = base64.b64encode(der).decode()
            _check_length("ocspResult", result, OCSP_RESULT.get(version, OCSP_RESULT_BEFORE))
        except (BadInput, Unreachable) as error:
            return Reply({"status": "Failed"} | _why("InternalError", error))
        return Reply({"status": "Accepted", "ocspResult": result})

    async def _chain_status(self, payload: Payload, now: datetime) -> Reply:
        """M07 (2.1): the state of each, without the responders' own words."""
        return Reply(
            {"certificateStatus": [await self._one_status(each, now) for each in payload["certificateStatusRequests"]]}
        )

    async def _one_status(self, request: Mapping[str, Any], now: datetime) -> Payload:
        state, next_update = "Failed", None
        for url in request["urls"]:
            try:
                question = _question("certificateHashData", request["certificateHashData"] | {"responderURL": url})
                if request["source"] == "CRL":
                    found = await self._pki.statuses.listed(question, now)
                else:
                    found, _ = await self._pki.statuses.response(question, now)
            except (BadInput, Unreachable) as error:
                log.warning("certificate whose state is not to be had", url=url, what=str(error))
                continue
            state, next_update = found.state.capitalize(), found.next_update
            break
        return {
            "certificateHashData": request["certificateHashData"],
            "source": request["source"],
            "status": state,
            "nextUpdate": _wire_time(next_update or now),
        }

    async def _ev_certificate(self, charger_id: str, version: str, payload: Payload, now: datetime) -> Reply:
        """M01, M02: a car's wish for a contract certificate."""
        try:
            answer = await (self._forward(payload) if self._forward is not None else self._provide(charger_id, payload, now))
            _check_length("exiResponse", answer.get("exiResponse", ""), EXI_RESPONSE.get(version, EXI_RESPONSE_BEFORE))
        except (BadInput, Unreachable) as error:
            log.warning("no contract certificate for a car", charger_id=charger_id, what=str(error))
            return Reply({"status": "Failed", "exiResponse": ""} | _why("InternalError", error))
        known = {"status", "exiResponse"} | ({"remainingContracts"} if version == "ocpp2.1" else set())
        return Reply({"exiResponse": ""} | {name: value for name, value in answer.items() if name in known})

    async def _provide(self, charger_id: str, payload: Payload, now: datetime) -> Payload:
        """By our own service. A refusal is a response too: Accepted says only that there is one."""
        if not payload["iso15118SchemaVersion"].startswith(ISO_15118_2):
            raise BadInput("iso15118SchemaVersion", f"only {ISO_15118_2}... is known")
        try:
            exi = base64.b64decode(payload["exiRequest"], validate=True)
        except ValueError:
            raise BadInput("exiRequest", "is not base 64") from None
        provided = await self._pki.provisioning.answer(exi, now, payload.get("prioritizedEMAIDs", ()))
        if provided.why:
            log.warning("contract refused to a car", charger_id=charger_id, code=provided.code, what=provided.why)
        answer: Payload = {"status": "Accepted", "exiResponse": base64.b64encode(provided.exi).decode()}
        # Absent in a session of ISO 15118-2, in which a car has one contract; who names a number wants to know.
        asks = "maximumContractCertificateChains" in payload or "prioritizedEMAIDs" in payload
        return answer | ({"remainingContracts": provided.remaining} if asks else {})

    def _sign(self, charger_id: str, version: str, payload: Payload, now: datetime) -> Reply:
        """A02, A03: a charger renews a certificate; what is wrong with its request is said at once."""
        kind = payload.get("certificateType", "ChargingStationCertificate")
        authority = self._pki.stations if kind == "ChargingStationCertificate" else self._pki.v2g
        try:
            _check_root(payload.get("hashRootCertificate"), authority.root)
            chain = authority.sign(payload["csr"], charger_id, now)
            _check_length("certificateChain", chain, CHAIN)
        except BadInput as error:
            log.warning("certificate that was not signed", charger_id=charger_id, kind=kind, what=str(error))
            return Reply({"status": "Rejected"} | (_why("InvalidCSR", error) if version != "ocpp1.6" else {}))
        signed: Payload = {"certificateChain": chain}
        if version != "ocpp1.6":
            signed |= {name: payload[name] for name in ("certificateType", "requestId") if name in payload}
        return Reply({"status": "Accepted"}, Call("CertificateSigned", signed))


def _trigger_own(version: str) -> Call:
    if version == "ocpp1.6":
        return Call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    return Call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})


def _trigger_v2g(version: str) -> Call:
    wanted = {"requestedMessage": "SignV2GCertificate"}
    return Call("DataTransfer", _wrapped("TriggerMessage", wanted)) if version == "ocpp1.6" else Call("TriggerMessage", wanted)


def _wrapped(action: str, payload: Payload) -> Payload:
    return {"vendorId": PNC_VENDOR, "messageId": action, "data": msgspec.json.encode(payload).decode()}


def _question(where: str, wire: Mapping[str, Any]) -> Question:
    return Question(HashData.read(where, wire), wire.get("responderURL") or None)


def _check_root(wire: Mapping[str, Any] | None, root: x509.Certificate) -> None:
    """2.1: a charger may say below which root it wants to be."""
    if wire is None:
        return
    asked = HashData.read("hashRootCertificate", wire)
    if asked != HashData.of(root, root, asked.algorithm):
        raise BadInput("hashRootCertificate", "is not the root that signs here")


def _check_length(where: str, text: str, most: int) -> None:
    if len(text) > most:
        raise BadInput(where, f"would have {len(text)} characters, {most} can be sent")


def _why(code: str, error: Exception) -> Payload:
    """StatusInfoType; its text is cut to what 2.0.1 takes."""
    return {"statusInfo": {"reasonCode": code, "additionalInfo": str(error)[:512]}}


def _wire_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
