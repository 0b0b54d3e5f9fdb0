"""Where the state of any certificate is to be had: from our authorities at once, from others by OCSP or their lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki.authority import Authority, refusal
from chargeloop.pki.chain import UNREADABLE
from chargeloop.pki.fetch import Fetch
from chargeloop.pki.ocsp import SKEW, Answer, HashData, read_answer, read_request

CACHED = 10_000  # answers of responders
BELIEVED_FOR = timedelta(days=1)  # at most, however long a responder says that its answer holds


class Question(NamedTuple):
    """A certificate to ask about, and the URL of the responder or the list; None: only we could know."""

    asked: HashData
    url: str | None


class Statuses:
    """`trusted`: certificates of other authorities, roots or not, by which their answers are checked."""

    def __init__(self, authorities: Sequence[Authority], fetch: Fetch, trusted: Sequence[x509.Certificate] = ()) -> None:
        self._authorities, self._fetch = list(authorities), fetch
        self._issuers = [*trusted, *(each for authority in authorities for each in (authority.sub, authority.root))]
        self._cache: dict[HashData, tuple[datetime, Answer, bytes]] = {}  # until when it is believed

    async def response(self, question: Question, now: datetime) -> tuple[Answer, bytes]:
        """The state of a certificate, and the DER response that says so: ours, remembered, or asked for.

        Raises:
            Unreachable: there is no responder to ask, or it doesn't answer.
            BadInput: its answer is not to be relied upon.
        """
        asked, url = question
        if asked in self._cache:
            until, answer, der = self._cache[asked]
            if until > now:
                return answer, der
        ours = self._ours(asked, now)
        if ours is not None:
            return read_answer(ours, asked, self._issuers, now), ours
        if url is None:
            raise Unreachable("the certificate names no responder")
        der = await self._fetch(url, ("application/ocsp-request", asked.request()))
        answer = read_answer(der, asked, self._issuers, now)
        if answer.next_update is not None:
            self._remember(asked, min(answer.next_update, now + BELIEVED_FOR), answer, der)
        return answer, der

    async def listed(self, question: Question, now: datetime) -> Answer:
        """The state of a certificate by its issuer's list of revoked ones.

        Raises:
            Unreachable: the list is not to be had.
            BadInput: it is not to be relied upon, or its issuer isn't known.
        """
        asked, url = question
        issuer = next((each for each in self._issuers if asked.names_issuer(each)), None)
        if issuer is None:
            raise BadInput("list of revoked certificates", "the issuer is not known, so nothing can vouch for it")
        signer = next((each for each in self._authorities if each.sub == issuer), None)
        if signer is None and url is None:
            raise Unreachable("the certificate names no list")
        return _on_list(signer.crl(now) if signer is not None else await self._fetch(str(url), None), issuer, asked.serial, now)

    def answer(self, request: bytes, now: datetime) -> bytes:
        """The OCSP responder of all our authorities: DER request to DER response, one certificate at a time (RFC 6960)."""
        try:
            asked, nonces = read_request(request)
        except BadInput:
            return refusal("MALFORMED_REQUEST")
        responses = (each.status_response(asked, now, nonces) for each in self._authorities)
        return next((each for each in responses if each is not None), None) or refusal("UNAUTHORIZED")

    def _remember(self, asked: HashData, until: datetime, answer: Answer, der: bytes) -> None:
        self._cache.pop(asked, None)
        if len(self._cache) >= CACHED:
            del self._cache[next(iter(self._cache))]  # the one that was asked for longest ago
        self._cache[asked] = until, answer, der

    def _ours(self, asked: HashData, now: datetime) -> bytes | None:
        return next((der for each in self._authorities if (der := each.status_response(asked, now)) is not None), None)


def _on_list(crl: bytes, issuer: x509.Certificate, serial: int, now: datetime) -> Answer:
    where, key = "list of revoked certificates", issuer.public_key()
    try:
        found = x509.load_pem_x509_crl(crl) if crl.startswith(b"-----") else x509.load_der_x509_crl(crl)
        signed = isinstance(
            key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed448.Ed448PublicKey
        ) and found.is_signature_valid(key)
        partial = any(each.critical for each in found.extensions)  # a list for some certificates only, or for some reasons
        entry = found.get_revoked_certificate_by_serial_number(serial)
    except UNREADABLE:
        raise BadInput(where, "cannot be read") from None
    if not signed or found.issuer != issuer.subject:
        raise BadInput(where, "is not signed by the issuer")
    if partial:
        raise BadInput(where, "is not complete")
    until = found.next_update_utc
    if found.last_update_utc > now + SKEW or (until is not None and until < now - SKEW):
        raise BadInput(where, "is out of date")
    return Answer("good" if entry is None else "revoked", until)
