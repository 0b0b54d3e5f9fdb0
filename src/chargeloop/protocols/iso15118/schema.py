"""What of ISO 15118-2's schema its certificate messages need, as tables.

The numbers of elements are their places among all elements of the whole schema, sorted by name (EXI 1.0, 8.5.1 and 8.5.2).
"""

from typing import Final, NamedTuple

from chargeloop.protocols.iso15118.messages import (
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
    Signature,
    SignatureValue,
    SignedInfo,
    UpdateRequest,
    UpdateResponse,
)

RESPONSE_CODES: Final = (
    "OK",
    "OK_NewSessionEstablished",
    "OK_OldSessionJoined",
    "OK_CertificateExpiresSoon",
    "FAILED",
    "FAILED_SequenceError",
    "FAILED_ServiceIDInvalid",
    "FAILED_UnknownSession",
    "FAILED_ServiceSelectionInvalid",
    "FAILED_PaymentSelectionInvalid",
    "FAILED_CertificateExpired",
    "FAILED_SignatureError",
    "FAILED_NoCertificateAvailable",
    "FAILED_CertChainError",
    "FAILED_ChallengeInvalid",
    "FAILED_ContractCanceled",
    "FAILED_WrongChargeParameter",
    "FAILED_PowerDeliveryNotApplied",
    "FAILED_TariffSelectionInvalid",
    "FAILED_ChargingProfileInvalid",
    "FAILED_MeteringSignatureNotValid",
    "FAILED_NoChargeServiceSelected",
    "FAILED_WrongEnergyTransferMode",
    "FAILED_ContactorError",
    "FAILED_CertificateNotAllowedAtThisEVSE",
    "FAILED_CertificateRevoked",
)
FAULT_CODES: Final = ("ParsingError", "NoTLSRootCertificatAvailable", "UnknownError")
MANY = 1 << 16  # where the schema sets no bound


class Text(NamedTuple):
    """A string. Where the schema sets no bound, ours is far above what is used."""

    least: int = 0
    most: int = 512


class Binary(NamedTuple):
    """Bytes, hexadecimal or base 64 in XML."""

    most: int


class Whole(NamedTuple):
    """An integer, encoded with its sign."""

    low: int
    high: int


class Word(NamedTuple):
    """One of an enumeration."""

    words: tuple[str, ...]


class ListOf(NamedTuple):
    """An element that holds nothing but a repeated one."""

    of: "Kind"
    most: int


class Method(NamedTuple):
    """An element whose only use is its attribute Algorithm. `before`, `after`: productions around its end that the schema
    allows and ISO 15118-2 doesn't use: elements of other languages, text."""

    before: int
    after: int


class OneOf(NamedTuple):
    """An element that holds one of a substitution group, by place; `size`: the group's, with the end of an empty one."""

    places: dict[type, int]
    size: int


class Part(NamedTuple):
    """A field of a message: an attribute, an element, or text. `least`, `most`: how often it occurs."""

    field: str
    kind: "Kind"
    least: int = 1
    most: int = 1
    is_element: bool = True


class Complex(NamedTuple):
    """The parts in the order of their productions: attributes, then content. `before`: as of `Method`."""

    parts: tuple[Part, ...]
    before: int = 0


Kind = Text | Binary | Whole | Word | ListOf | Method | OneOf | type
URI = Text()
CERTIFICATE = Binary(800)
EMAID = Text(14, 15)
ROOTS = ListOf(RootId, 20)
ID = Part("id", Text(), is_element=False)
OPTIONAL_ID = ID._replace(least=0)
CODE = Part("code", Word(RESPONSE_CODES))
GIVEN = (
    Part("provisioning_chain", Chain),
    Part("contract_chain", Chain),
    Part("encrypted_key", EncryptedKey),
    Part("dh_public_key", DhPublicKey),
    Part("emaid", Emaid),
)
BODIES = OneOf({InstallationRequest: 5, InstallationResponse: 6, UpdateRequest: 7, UpdateResponse: 8}, 36)
TYPES: Final[dict[type, Complex]] = {
    Message: Complex((Part("header", Header), Part("body", BODIES))),
    Header: Complex(
        (Part("session_id", Binary(8)), Part("notification", Notification, 0), Part("signature", Signature, 0)),
    ),
    Notification: Complex((Part("code", Word(FAULT_CODES)), Part("text", Text(0, 64), 0))),
    Signature: Complex((OPTIONAL_ID, Part("info", SignedInfo), Part("value", SignatureValue)), before=2),
    SignatureValue: Complex((OPTIONAL_ID, Part("value", Binary(512), is_element=False))),
    SignedInfo: Complex(
        (
            OPTIONAL_ID,
            Part("canonicalization", Method(1, 1)),
            Part("method", Method(2, 1)),
            Part("references", Reference, 1, MANY),
        )
    ),
    Reference: Complex(
        (
            OPTIONAL_ID,
            Part("type", URI, 0, is_element=False),
            Part("uri", URI, 0, is_element=False),
            Part("transforms", ListOf(Method(2, 1), MANY), 0),
            Part("digest_method", Method(1, 1)),
            Part("digest", Binary(64)),
        )
    ),
    RootId: Complex((Part("issuer", Text()), Part("serial", Whole(-(1 << 160), 1 << 160)))),
    Chain: Complex((OPTIONAL_ID, Part("certificate", CERTIFICATE), Part("sub_certificates", ListOf(CERTIFICATE, 4), 0))),
    EncryptedKey: Complex((ID, Part("value", Binary(48), is_element=False))),
    DhPublicKey: Complex((ID, Part("value", Binary(65), is_element=False))),
    Emaid: Complex((ID, Part("value", EMAID, is_element=False))),
    InstallationRequest: Complex((ID, Part("provisioning_certificate", CERTIFICATE), Part("roots", ROOTS))),
    UpdateRequest: Complex((ID, Part("contract_chain", Chain), Part("emaid", EMAID), Part("roots", ROOTS))),
    InstallationResponse: Complex((CODE, *GIVEN)),
    UpdateResponse: Complex((CODE, *GIVEN, Part("retry_counter", Whole(-(1 << 15), (1 << 15) - 1), 0))),
}


class Fragments(NamedTuple):
    """Of a schema: the width of an element's code in a fragment, the elements' codes, and that of the end."""

    width: int
    places: dict[type, int]
    end: int


DOCUMENT_WIDTH, DOCUMENT_PLACE = 7, 76  # of V2G_Message
MESSAGES = Fragments(
    8, {InstallationRequest: 15, UpdateRequest: 17, Chain: 33, EncryptedKey: 34, DhPublicKey: 45, Emaid: 236}, 244
)
XML_SIGNATURE = Fragments(6, {SignedInfo: 32}, 46)
