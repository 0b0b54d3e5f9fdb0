"""Contracts of Plug and Charge: certificates by eMAID under a mobility operator's root, and whether a presented one counts."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from cryptography import x509

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki.authority import Authority
from chargeloop.pki.chain import ChainBroken, identity, path_to_root, read_pem
from chargeloop.pki.emaid import SYMBOLS, contract_of, emaid_of, same_contract, typed_emaid
from chargeloop.pki.ocsp import HashData, responder_of
from chargeloop.pki.register import Entry
from chargeloop.pki.statuses import Question, Statuses

BLOCKING = frozenset({"Blocked", "Expired", "Invalid", "Unknown"})


class Verdict(NamedTuple):
    """Both fields of an Authorize answer: AuthorizeCertificateStatusEnumType and AuthorizationStatusEnumType of OCPP 2.x."""

    certificate_status: str
    token_status: str


REFUSALS = {
    "expired": Verdict("CertificateExpired", "Expired"),
    "revoked": Verdict("CertificateRevoked", "Invalid"),
    "signature": Verdict("SignatureError", "Invalid"),
    "chain": Verdict("CertChainError", "Invalid"),
}


class Refused(Exception):
    """Internal: the key of `REFUSALS`."""


class Contracts:
    """The contract-certificate service. All times are wall time in UTC.

    Args:
        authority: that signs contracts. statuses: knows the state of its certificates and of others'. trusted: certificates
            of other mobility operators; chains must end at a root among them (or at ours).
        token_status: what is thought of an eMAID as a token, in OCPP 2.x words. None, also as its answer: Accepted with a
            contract of ours, Unknown otherwise.
    """

    def __init__(
        self,
        authority: Authority,
        statuses: Statuses,
        trusted: Sequence[x509.Certificate] = (),
        token_status: Callable[[str], str | None] = lambda _emaid: None,
    ) -> None:
        self.authority, self._statuses, self._trusted = authority, statuses, [*trusted, authority.sub, authority.root]
        self._token_status = token_status

    def issue(self, emaid: str, now: datetime) -> tuple[str, str]:
        """A new contract certificate: PEM chain (leaf first, without the root), and the PEM key, which is not kept here.

        Raises:
            BadInput: no eMAID, or a mistyped one.
        """
        return self.authority.issue(typed_emaid(emaid), now)

    def is_cancelled(self, emaid: str) -> bool:
        """Whether it may charge no more, by what is thought of it as a token."""
        return self._token_status(emaid) in BLOCKING

    def revoke(self, emaid: str, now: datetime, reason: str = "cessationOfOperation") -> int:
        """Revoke all that was issued to an eMAID; how many were revoked by this."""
        standing = [each for each in self._issued(emaid_of(emaid)) if each.revoked is None]
        for each in standing:
            self.authority.revoke(f"{each.certificate.serial_number:x}", now, reason)
        return len(standing)

    def chains(self, emaid: str, now: datetime) -> list[str]:
        """PEM chains of an eMAID's certificates that are neither revoked nor expired, oldest first."""
        usable = [
            each
            for each in self._issued(emaid_of(emaid))
            if each.revoked is None and each.certificate.not_valid_after_utc >= now
        ]
        return [self.authority.chain_of(each.certificate) for each in usable]

    async def authorise(
        self, emaid: str, now: datetime, hash_data: Sequence[Question] = (), chain_pem: str | None = None
    ) -> Verdict:
        """What is thought of a contract that an EV presents (C07).

        The chain, when the station sends it, is checked to a trusted root; what the station has checked itself comes as
        hash data. Either way every certificate below the root must be good by OCSP.

        Raises:
            BadInput: no eMAID.
        """
        emaid = emaid_of(emaid)
        if chain_pem is None and not hash_data:
            return Verdict("NoCertificateAvailable", "Invalid")
        try:
            questions = self._told(emaid, hash_data) if chain_pem is None else self._walk(emaid, chain_pem, hash_data, now)
            checks = (self._check(emaid, each, now) for each in questions)
            for refusal in await asyncio.gather(*checks, return_exceptions=True):
                if refusal is not None:
                    raise refusal
        except Refused as refused:
            return REFUSALS[str(refused)]
        status = self._token_status(emaid) or self._by_contract(emaid)
        return Verdict("ContractCancelled" if status in BLOCKING else "Accepted", status)

    def _walk(self, emaid: str, chain_pem: str, hash_data: Iterable[Question], now: datetime) -> list[Question]:
        """What is to be asked about a presented chain, once it holds by itself."""
        try:
            path = path_to_root(read_pem("certificate", chain_pem), self._roots(), now)
        except ChainBroken as broken:
            raise Refused(broken.why) from None
        except BadInput:
            raise Refused("chain") from None
        if not same_contract(identity(path[0]).common_name, emaid):
            raise Refused("chain")
        told = {each.asked.serial: each.url for each in hash_data}
        questions = []
        for certificate, issuer in pairwise(path):
            url = responder_of(certificate) or told.get(certificate.serial_number)
            ours = self.authority.ocsp_status(HashData.of(certificate, issuer)) is not None
            # An authority that names no responder cannot be asked about; a contract must be.
            if url is not None or ours or certificate is path[0]:
                questions.append(Question(HashData.of(certificate, issuer), url))
        return questions

    def _told(self, emaid: str, hash_data: Sequence[Question]) -> Sequence[Question]:
        """What a station has checked by itself. It cannot vouch for an authority that we don't know, nor put another's
        certificate behind a contract of ours."""
        if not any(each.asked.names_issuer(issuer) for each in hash_data for issuer in self._trusted):
            raise Refused("chain")
        if self._issued(emaid) and not any(self.authority.ocsp_status(each.asked) for each in hash_data):
            raise Refused("chain")
        return hash_data

    async def _check(self, emaid: str, question: Question, now: datetime) -> None:
        state = self.authority.ocsp_status(question.asked)
        entry = self.authority.entry(question.asked.serial) if state is not None else None
        if state is None:
            try:
                state = (await self._statuses.response(question, now))[0].state
            except (BadInput, Unreachable):
                raise Refused("chain") from None
        if state != "good":
            raise Refused("revoked" if state == "revoked" else "chain")
        if entry is not None and now > entry.certificate.not_valid_after_utc:
            raise Refused("expired")
        if entry is not None and not same_contract(identity(entry.certificate).common_name, emaid):
            raise Refused("chain")

    def _issued(self, emaid: str) -> list[Entry]:
        """With or without check digit."""
        names = [contract_of(emaid) + digit for digit in ("", *SYMBOLS)]
        return [entry for name in names for entry in self.authority.issued_to(name)]

    def _roots(self) -> list[x509.Certificate]:
        return [each for each in self._trusted if each.subject == each.issuer]

    def _by_contract(self, emaid: str) -> str:
        return "Accepted" if self._issued(emaid) else "Unknown"
