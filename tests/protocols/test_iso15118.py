"""EXI of ISO 15118-2, byte for byte as another codec (EXIficient) makes it of the same messages by the standard's schema."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.model import BadInput
from chargeloop.protocols.iso15118 import (
    RESPONSE_CODES,
    Body,
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
    decode,
    encode,
    fragment,
    signed_info,
)
from tests.protocols.iso15118_messages import EMPTY, FRAGMENTS, INSTALL, MESSAGES, SESSION, SIGNED, der

THEIRS = {
    name: bytes.fromhex(exi) for name, exi in json.loads((Path(__file__).parent / "iso15118_exi.json").read_text()).items()
}

TEXT, ID = st.text(max_size=20), st.text(max_size=12)
CERTIFICATE, EMAID = st.binary(max_size=150), st.text(min_size=14, max_size=15)
CHAIN = st.builds(Chain, CERTIFICATE, st.lists(CERTIFICATE, max_size=4).map(tuple), st.none() | ID)
ROOTS = st.lists(st.builds(RootId, TEXT, st.integers(-(1 << 158), 1 << 159)), min_size=1, max_size=20).map(tuple)
REFERENCE = st.builds(
    Reference,
    st.none() | TEXT,
    st.binary(max_size=64),
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | ID,
    st.none() | TEXT,
)
INFO = st.builds(SignedInfo, TEXT, TEXT, st.lists(REFERENCE, min_size=1, max_size=5).map(tuple), st.none() | ID)
SIGNATURE = st.builds(Signature, INFO, st.builds(SignatureValue, st.binary(max_size=72), st.none() | ID), st.none() | ID)
GIVEN = (
    st.sampled_from(RESPONSE_CODES),
    CHAIN,
    CHAIN,
    st.builds(EncryptedKey, ID, st.binary(max_size=48)),
    st.builds(DhPublicKey, ID, st.binary(max_size=65)),
    st.builds(Emaid, ID, EMAID),
)
BODY: st.SearchStrategy[Body] = st.one_of(
    st.builds(InstallationRequest, ID, CERTIFICATE, ROOTS),
    st.builds(UpdateRequest, ID, CHAIN, EMAID, ROOTS),
    st.builds(InstallationResponse, *GIVEN),
    st.builds(UpdateResponse, *GIVEN, st.none() | st.integers(-(1 << 15), (1 << 15) - 1)),
)
HEADER = st.builds(
    Header,
    st.binary(max_size=8),
    st.none() | st.builds(Notification, st.sampled_from(["ParsingError", "UnknownError"]), st.none() | TEXT),
    st.none() | SIGNATURE,
)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_theirs_in_both_directions(name: str) -> None:
    assert encode(MESSAGES[name]) == THEIRS[name]
    assert decode(THEIRS[name]) == MESSAGES[name]


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_signed_element_is_theirs(name: str) -> None:
    element: Signable = FRAGMENTS[name]
    assert fragment(element) == THEIRS[name]


@pytest.mark.parametrize("name", SIGNED)
def test_what_a_signature_is_over_is_theirs(name: str) -> None:
    assert signed_info(SIGNED[name]) == THEIRS[name]


def test_no_vector_is_left_out() -> None:
    assert THEIRS.keys() == {*MESSAGES, *FRAGMENTS, *SIGNED}


@given(st.builds(Message, HEADER, BODY))
def test_what_is_written_is_read(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.sampled_from([*MESSAGES]), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 7)), min_size=1, max_size=4))
def test_damage_is_refused_or_makes_another_message(name: str, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(THEIRS[name])
    for place, bit in flips:
        damaged[place % len(damaged)] ^= 1 << bit
    _decode_or_refuse(bytes(damaged))


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x80", b"\x80\x98\x02\x00@", THEIRS["update request"][:300]]))
def test_noise_is_refused_or_makes_a_message(noise: bytes, head: bytes) -> None:
    _decode_or_refuse(head + noise)


def _decode_or_refuse(exi: bytes) -> None:
    try:
        message = decode(exi)
    except BadInput:
        return
    assert decode(encode(message)) == message


@pytest.mark.parametrize("size", [*range(40), 500, 1026])
def test_a_message_cut_short_is_refused(size: int) -> None:
    with pytest.raises(BadInput, match="ends too early"):
        decode(THEIRS["installation request, signed"][:size])


@pytest.mark.parametrize(
    ("exi", "said"),
    [
        (b"\x80" * 9000, "has 9000 bytes"),
        (b"$EXI" + THEIRS["update request"], "is none, or has options"),
        (b"\x90" + THEIRS["update request"][1:], "is none, or has options"),
        (b"\x80\x96" + THEIRS["update request"][2:], "no V2G_Message"),
        (THEIRS["update request"] + b"\0", "goes on after its end"),
        (bytes.fromhex("809802004080c1014181c211d018000000c0"), "no message about contract certificates"),  # SessionSetupReq
        (b"\x80\x98\x02" + b"\xff" * 60, "a number or a length above 8"),
        (b"\x80\x98\x01", "ends too early"),
        (b"\x80\x99\x00", "doesn't foresee|something else"),
    ],
)
def test_what_is_foreign_is_refused_in_words(exi: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        decode(exi)


@pytest.mark.parametrize(
    "body",
    [
        replace(INSTALL, roots=()),
        replace(INSTALL, roots=INSTALL.roots * 21),
        replace(INSTALL, provisioning_certificate=der(801, 1)),
        InstallationResponse("FAILED_ForNoReason", *EMPTY),
        InstallationResponse("OK", *EMPTY[:4], Emaid("id4", "DE8AACA2B3C4")),
        UpdateResponse("OK", *EMPTY, 1 << 15),
    ],
)
def test_what_the_schema_forbids_is_not_written(body: Body) -> None:
    with pytest.raises(BadInput):
        encode(Message(Header(SESSION), body))
