"""Messages whose EXI by another codec is kept in iso15118_exi.json, by the same names."""

from chargeloop.protocols.iso15118 import (
    Chain,
    DhPublicKey,
    Emaid,
    EncryptedKey,
    Header,
    InstallationRequest,
    InstallationResponse,
    Message,
    Notification,
    Reference,
    RootId,
    Signable,
    Signature,
    SignatureValue,
    SignedInfo,
    UpdateRequest,
    UpdateResponse,
)

SESSION = bytes(range(1, 9))
CANONICAL = "http://www.w3.org/TR/canonical-exi/"
ECDSA, SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"
ROOTS = (RootId("CN=V2G Root,O=Stadtwerke Köln", 12345), RootId("CN=é𝄞", (1 << 158) + 77), RootId("-", -1))


def der(size: int, start: int) -> bytes:
    """Bytes as long as a certificate."""
    return bytes((start + 7 * place) % 256 for place in range(size))


BARE = Chain(der(3, 1))
CHAINS = {count: Chain(der(600, 3), tuple(der(500 + each, each) for each in range(count)), "id1") for count in range(5)}
ENCRYPTED, POINT, EMAID = (
    EncryptedKey("id2", der(48, 9)),
    DhPublicKey("id3", b"\x04" + der(64, 5)),
    Emaid("id4", "DE8AACA2B3C4D5N"),
)
LONG_EMAID = Emaid("anything", "NLTNM000122045")


def signed(count: int) -> SignedInfo:
    """As ISO 15118-2 has it, over so many elements."""
    references = (Reference(f"#id{each + 1}", der(32, each), SHA256, (CANONICAL,)) for each in range(count))
    return SignedInfo(CANONICAL, ECDSA, tuple(references))


ODD = SignedInfo(
    CANONICAL,
    ECDSA,
    (Reference("#a", der(32, 1), SHA256, (), "r1", "urn:t"), Reference(None, der(20, 2), SHA256, (CANONICAL, "urn:x"))),
    "s",
)


def signature(count: int) -> Signature:
    return Signature(signed(count), SignatureValue(der(64, 100)))


INSTALL = InstallationRequest("ID1", der(700, 11), ROOTS[:1])
UPDATE = UpdateRequest("id9", CHAINS[2], "DE8AACA2B3C4D5N", ROOTS)
GIVEN = (CHAINS[1], CHAINS[2], ENCRYPTED, POINT, EMAID)
NONE = b"\0"
EMPTY = (Chain(NONE), Chain(NONE), EncryptedKey("id2", NONE), DhPublicKey("id3", NONE), Emaid("id4", "0" * 14))

MESSAGES = {
    "installation request, unsigned": Message(Header(SESSION), INSTALL),
    "installation request, signed": Message(Header(SESSION, None, signature(1)), INSTALL),
    "installation request, twenty roots": Message(Header(SESSION), InstallationRequest("x", der(9, 9), ROOTS[:1] * 20)),
    "installation request, odd signature": Message(
        Header(SESSION[:1], Notification("UnknownError", "Wörter"), Signature(ODD, SignatureValue(der(71, 3), "v"), "g")),
        INSTALL,
    ),
    "update request": Message(Header(SESSION, None, signature(1)), UPDATE),
    "update request, bare chain": Message(
        Header(SESSION, Notification("ParsingError")), UpdateRequest("u", BARE, EMAID.value, ROOTS)
    ),
    "installation response": Message(Header(SESSION, None, signature(4)), InstallationResponse("OK", *GIVEN)),
    "installation response, longest chains": Message(
        Header(SESSION), InstallationResponse("FAILED_CertificateRevoked", CHAINS[4], CHAINS[3], *GIVEN[2:])
    ),
    "installation response, refused": Message(Header(SESSION), InstallationResponse("FAILED_NoCertificateAvailable", *EMPTY)),
    "update response": Message(Header(SESSION, None, signature(4)), UpdateResponse("OK", *GIVEN)),
    "update response, later": Message(Header(SESSION), UpdateResponse("FAILED", *EMPTY, -1)),
    "update response, in 300 days": Message(Header(SESSION), UpdateResponse("FAILED_ContractCanceled", *EMPTY, 300)),
}
FRAGMENTS: dict[str, Signable] = {
    "fragment: installation request": INSTALL,
    "fragment: update request": UPDATE,
    "fragment: bare chain": BARE,
    **{f"fragment: chain of {count} authorities": chain for count, chain in CHAINS.items()},
    "fragment: encrypted key": ENCRYPTED,
    "fragment: point": POINT,
    "fragment: eMAID": EMAID,
    "fragment: eMAID without digit": LONG_EMAID,
}
SIGNED = {f"signed info: {count} references": signed(count) for count in (1, 2, 4)} | {"signed info: odd": ODD}
