"""The envelope of T/CEC 102: the published vectors, there and back, and what is refused."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeloop.protocols.tcec102 import (
    MOST_OFF,
    AesHmacMd5,
    Numbered,
    Refused,
    Ret,
    Seen,
    open_request,
    open_response,
    seal_request,
    seal_response,
    sender,
)

KEY = "1234567890abcdef"
CIPHER = AesHmacMd5(KEY, KEY, KEY)
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
TOKEN_REQUEST = "mYvffpNoFf4E/ZTC1tOw41TC5OlkEobfAYCm5N8hEusaLUaUIqOrXtdbMrSck0DSmfM7mRuOGMoCQzH0nWPGuw=="
TOKEN_RESPONSE = (
    "uxeKP0ezR5yL8xSg4/ZCDh/N91/u86NXFxd2DrwZVW8zCPYcpl59Twz/yQZ3RaO4rDDrGmkvQignmNEJ+k4PGxdmIC+4fpJ8rU6osSobY+AeA0uueuQ5+eQi"
    "WBL6p6v5XMMm91brtK8yfFELYUWQzVcxABnAwK/+dyxtUhqLIxUpkwTEU/4ktN40df9IzzlLO5uvUknPGYu9yL0pp5w9vdRxmA1RiiTDNCysz6klr9bunGV3"
    "VJa2qpLcgeZMf/oG"
)
APPENDIX_C3 = (
    "il7B0BSEjFdzpyKzfOFpvg/Se1CP802RItKYFPfSLRxJ3jf0bVl9hvYOEktPAYW2nd7S8MBcyHYyacHKbISq5iTmDzG+ivnR+SZJv3USNTYVMz9rCQVSxd0c"
    "LlqsJauko79NnwQJbzDTyLooYoIwz75qBOH2/xOMirpeEqRJrF/EQjWekJmGk9RtboXePu2rka+Xm51syBPhiXJAq0GfbfaFu9tNqs/e2Vjja/ltE1M0lqvx"
    "fXQ6da6HrThsm5id4ClZFIi0acRfrsPLRixS/IQYtksxghvJwbqOsbIsITail9Ayy4tKcogeEZiOO+4Ed264NSKmk7l3wKwJLAFjCFogBx8GE3OBz4pqcAn/"
    "ydA="
)


def request(**changes: Any) -> dict[str, Any]:
    return {**seal_request(CIPHER, "123456789", {"ConnectorID": "C1"}, NOW, "0001"), **changes}


def test_the_published_request_of_a_token() -> None:
    body = {
        "OperatorID": "123456789",
        "Data": TOKEN_REQUEST,
        "TimeStamp": "20180120165755",
        "Seq": "0001",
        "Sig": "D2D584A14F3F284445DF85D0E8C0697C",
    }
    opened = open_request(CIPHER, body)
    assert opened.at == datetime(2018, 1, 20, 8, 57, 55, tzinfo=UTC)
    assert opened.data["OperatorID"] == "123456789"


def test_the_published_response_to_it() -> None:
    body = {"Ret": 0, "Msg": "", "Data": TOKEN_RESPONSE, "Sig": "58E52010C7DEE87FE183B0AFA5B2BE30"}
    assert open_response(CIPHER, body)["SuccStat"] == 0


def test_the_vector_of_appendix_c3_whose_text_is_no_json() -> None:
    assert CIPHER.sign(f"123456789{APPENDIX_C3}201607291424000001".encode()) == "745166E8C43C84D37FFEC0F529C4136F"
    assert base64.b64encode(CIPHER.encrypt(CIPHER.decrypt(base64.b64decode(APPENDIX_C3)))).decode() == APPENDIX_C3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON), st.text())
def test_what_was_sealed_opens(data: dict[str, Any], msg: str) -> None:
    assert open_request(CIPHER, seal_request(CIPHER, "123456789", data, NOW, "0001")).data == data
    assert open_response(CIPHER, seal_response(CIPHER, 0, "", data)) == data
    with pytest.raises(Refused) as refused:
        open_response(CIPHER, seal_response(CIPHER, Ret.BUSY, msg, None))
    assert (refused.value.ret, refused.value.why) == (Ret.BUSY, msg)


@pytest.mark.parametrize("name", ["OperatorID", "Data", "TimeStamp", "Seq", "Sig"])
@pytest.mark.parametrize("value", [None, "", 5, [], {}])
def test_an_envelope_with_a_part_that_is_no_text(name: str, value: object) -> None:
    with pytest.raises(Refused, match=name) as refused:
        open_request(CIPHER, request(**{name: value}))
    assert refused.value.ret == Ret.BAD_PARAMETERS


@pytest.mark.parametrize("body", [None, [], "text", 5, {}])
def test_what_is_no_envelope(body: object) -> None:
    for read in (sender, lambda each: open_request(CIPHER, each), lambda each: open_response(CIPHER, each)):
        with pytest.raises(Refused) as refused:
            read(body)
        assert refused.value.ret == Ret.BAD_PARAMETERS


@pytest.mark.parametrize("name", ["OperatorID", "Data", "TimeStamp", "Seq"])
def test_a_changed_part_breaks_the_signature(name: str) -> None:
    with pytest.raises(Refused) as refused:
        open_request(CIPHER, request(**{name: request()[name][:-1] + "7"}))
    assert refused.value.ret == Ret.BAD_SIGNATURE


def test_a_signature_of_other_keys() -> None:
    other = AesHmacMd5(KEY, KEY, "another secret")
    with pytest.raises(Refused) as refused:
        open_request(other, request())
    assert refused.value.ret == Ret.BAD_SIGNATURE
    with pytest.raises(Refused) as refused:
        open_response(other, seal_response(CIPHER, 0, "", {}))
    assert refused.value.ret == Ret.BAD_SIGNATURE


def signed(secret: str, time_stamp: str = "20261129200000", seq: str = "0001") -> dict[str, Any]:
    sig = CIPHER.sign(f"123456789{secret}{time_stamp}{seq}".encode())
    return {"OperatorID": "123456789", "Data": secret, "TimeStamp": time_stamp, "Seq": seq, "Sig": sig}


@pytest.mark.parametrize("plain", [b"", b"[]", b"5", b'"text"', b"{", b'{"a":NaN}', b"\xff", b"[" * 100_000])
def test_signed_data_that_is_no_object(plain: bytes) -> None:
    with pytest.raises(Refused) as refused:
        open_request(CIPHER, signed(base64.b64encode(CIPHER.encrypt(plain)).decode()))
    assert refused.value.ret == Ret.BAD_BUSINESS_PARAMETERS


@pytest.mark.parametrize("secret", ["no base64!", "QUJD", TOKEN_REQUEST[:-4]])
def test_signed_data_that_does_not_decrypt(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        open_request(CIPHER, signed(secret))
    assert refused.value.ret == Ret.BAD_BUSINESS_PARAMETERS


@pytest.mark.parametrize("time_stamp", ["20261329200000", "2026112920000", "20261129 20000", "２０261129200000"])
def test_a_time_that_is_none(time_stamp: str) -> None:
    with pytest.raises(Refused, match="TimeStamp"):
        open_request(CIPHER, signed(TOKEN_REQUEST, time_stamp))


@pytest.mark.parametrize("seq", ["1", "00001", "abcd", "-001"])
def test_a_number_that_is_none(seq: str) -> None:
    with pytest.raises(Refused, match="Seq"):
        open_request(CIPHER, signed(TOKEN_REQUEST, seq=seq))


@pytest.mark.parametrize("changes", [{"Ret": None}, {"Ret": "none"}, {"Ret": True}, {"Msg": 5}, {"Data": []}, {"Sig": None}])
def test_a_response_that_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        open_response(CIPHER, {**seal_response(CIPHER, 0, "", {}), **changes})


def test_a_chinese_reason_is_signed_as_utf8() -> None:
    with pytest.raises(Refused, match="设备离线"):
        open_response(CIPHER, seal_response(CIPHER, 500, "设备离线", None))


def test_keys_of_the_wrong_length_and_keys_in_a_log() -> None:
    with pytest.raises(ValueError, match="data_secret_iv"):
        AesHmacMd5(KEY, "short", KEY)
    assert KEY not in repr(CIPHER)


@given(st.lists(st.integers(-3, 3), max_size=30))
def test_no_number_is_given_out_twice(steps: list[int]) -> None:
    numbered, now, given_out = Numbered(), NOW, []
    for step in steps:
        now += timedelta(milliseconds=300 * step)
        given_out.append(numbered.next(now))
    assert len(set(given_out)) == len(given_out)
    assert all(len(seq) == 4 for _, seq in given_out)


def test_the_ten_thousandth_of_a_second_goes_into_the_next() -> None:
    numbered = Numbered()
    last = [numbered.next(NOW) for _ in range(10_000)][-2:]
    assert last == [(NOW, "9999"), (NOW + timedelta(seconds=1), "0001")]


def test_a_request_is_taken_once() -> None:
    seen, once = Seen(), open_request(CIPHER, request())
    seen.take(once, NOW)
    with pytest.raises(Refused, match="before"):
        seen.take(once, NOW + timedelta(seconds=5))


def test_a_number_may_come_again_with_other_data() -> None:
    seen = Seen()
    seen.take(open_request(CIPHER, request()), NOW)
    seen.take(open_request(CIPHER, seal_request(CIPHER, "123456789", {"ConnectorID": "C2"}, NOW, "0001")), NOW)


@pytest.mark.parametrize("off", [MOST_OFF, -MOST_OFF])
def test_a_clock_that_is_far_off(off: timedelta) -> None:
    seen, once = Seen(), open_request(CIPHER, request())
    with pytest.raises(Refused, match="off"):
        seen.take(once, NOW + off * 1.01)
    seen.take(once, NOW + off)


def test_a_replay_is_known_for_as_long_as_its_time_is_good() -> None:
    seen = Seen()
    early = open_request(CIPHER, seal_request(CIPHER, "123456789", {}, NOW + MOST_OFF, "0001"))
    seen.take(early, NOW)
    with pytest.raises(Refused, match="before"):
        seen.take(early, NOW + 2 * MOST_OFF)
