"""The envelope of T/CEC 102.4: encrypted data, a signature over the text as sent, a time and a number.

    request   OperatorID, Data, TimeStamp, Seq, Sig      Sig over OperatorID + Data + TimeStamp + Seq
    response  Ret, Msg, Data, Sig                        Sig over Ret + Msg + Data

`Data` is Base64 of AES-128-CBC with PKCS#7 padding; `Sig` is HMAC-MD5 in upper-case hex. Both are weak by today's measure (a
fixed IV, MD5): TLS, an allow-list and changing keys are up to the deployment, and `Cipher` may be another one.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Modes
from cryptography.hazmat.primitives.ciphers import algorithms, modes

from chargeloop.protocols.tcec102.codes import Refused, Ret

BEIJING = timezone(timedelta(hours=8))  # times on this wire have no zone; China has one
_BLOCK_BITS = 128


class Cipher(Protocol):
    """What a province may replace, by SM4 and SM3 for one."""

    def encrypt(self, plain: bytes) -> bytes: ...

    def decrypt(self, secret: bytes) -> bytes:
        """Raises ValueError where it cannot."""

    def sign(self, text: bytes) -> str: ...


@dataclass(frozen=True, slots=True)
class AesHmacMd5:
    """The standard's own: keys and IV are 16 characters each, the signing key any number."""

    data_secret: str = field(repr=False)
    data_secret_iv: str = field(repr=False)
    sig_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("data_secret", "data_secret_iv"):
            if len(getattr(self, name).encode()) != 16:
                raise ValueError(f"{name} must be 16 bytes long")

    def encrypt(self, plain: bytes) -> bytes:
        padder = padding.PKCS7(_BLOCK_BITS).padder()
        encryptor = self._modes().encryptor()
        return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, secret: bytes) -> bytes:
        decryptor = self._modes().decryptor()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(decryptor.update(secret) + decryptor.finalize()) + unpadder.finalize()

    def sign(self, text: bytes) -> str:
        return hmac.new(self.sig_secret.encode(), text, "md5").hexdigest().upper()

    def _modes(self) -> "Modes[modes.CBC]":
        return Modes(algorithms.AES(self.data_secret.encode()), modes.CBC(self.data_secret_iv.encode()))


def seal_request(cipher: Cipher, operator_id: str, data: Mapping[str, Any], at: datetime, seq: str) -> dict[str, Any]:
    """The body of a request from `operator_id`. `seq`: four digits, see `Numbered`."""
    time_stamp = at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")
    secret = _encode(cipher, data)
    sig = cipher.sign(f"{operator_id}{secret}{time_stamp}{seq}".encode())
    return {"OperatorID": operator_id, "Data": secret, "TimeStamp": time_stamp, "Seq": seq, "Sig": sig}


@dataclass(frozen=True, slots=True)
class Request:
    """An opened request; `at` as the sender's clock had it. `key`: what a replay would have in common with it."""

    operator_id: str
    at: datetime
    seq: str
    data: dict[str, Any]
    key: tuple[str, str, str, str]


def sender(body: object) -> str:
    """Who says to have sent a request: whose keys are to be tried.

    Raises:
        Refused: it is no envelope.
    """
    return _texts(body, ("OperatorID", "Data", "TimeStamp", "Seq", "Sig"))[0]


def open_request(cipher: Cipher, body: object) -> Request:
    """Signature first, then the rest.

    Raises:
        Refused: 4003 for what is no envelope, 4001 for a wrong signature, 4004 for data that is no JSON object.
    """
    operator_id, secret, time_stamp, seq, sig = _texts(body, ("OperatorID", "Data", "TimeStamp", "Seq", "Sig"))
    if not _same(cipher.sign(f"{operator_id}{secret}{time_stamp}{seq}".encode()), sig):
        raise Refused(Ret.BAD_SIGNATURE, "the signature does not fit")
    if not (len(seq) == 4 and seq.isascii() and seq.isdigit()):
        raise Refused(Ret.BAD_PARAMETERS, "Seq must be four digits")
    return Request(operator_id, _time(time_stamp), seq, _decode(cipher, secret), (operator_id, time_stamp, seq, sig))


def seal_response(cipher: Cipher, ret: int, msg: str, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The body of a response; without data where there is none, as in a refusal."""
    secret = "" if data is None else _encode(cipher, data)
    return {"Ret": ret, "Msg": msg, "Data": secret, "Sig": cipher.sign(f"{ret}{msg}{secret}".encode())}


def open_response(cipher: Cipher, body: object) -> dict[str, Any]:
    """The data of a good response.

    Raises:
        Refused: with the partner's own code where it said no (its signature is checked then too, since a forged refusal could
            stop a charge), else as `open_request`.
    """
    if not isinstance(body, Mapping):
        raise Refused(Ret.BAD_PARAMETERS, "the response is no JSON object")
    ret = body.get("Ret")
    if isinstance(ret, bool) or not isinstance(ret, int | str) or not str(ret).lstrip("-").isdigit():
        raise Refused(Ret.BAD_PARAMETERS, "the response has no Ret")
    msg, secret, sig = (body.get(name) if body.get(name) is not None else "" for name in ("Msg", "Data", "Sig"))
    if not (isinstance(msg, str) and isinstance(secret, str) and isinstance(sig, str)):
        raise Refused(Ret.BAD_PARAMETERS, "Msg, Data and Sig of the response must be texts")
    if not _same(cipher.sign(f"{ret}{msg}{secret}".encode()), sig):
        raise Refused(Ret.BAD_SIGNATURE, f"the signature of the response (Ret {ret}) does not fit")
    if int(ret) != Ret.OK:
        raise Refused(int(ret), msg)
    return _decode(cipher, secret)


def _texts(body: object, names: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(body, Mapping):
        raise Refused(Ret.BAD_PARAMETERS, "the request is no JSON object")
    values = tuple(body.get(name) for name in names)
    missing = [name for name, value in zip(names, values, strict=True) if not isinstance(value, str) or not value]
    if missing:
        raise Refused(Ret.BAD_PARAMETERS, f"{missing[0]} is missing or no text")
    return tuple(str(value) for value in values)


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.upper().encode())


def _time(time_stamp: str) -> datetime:
    try:
        if len(time_stamp) != 14 or not time_stamp.isascii():
            raise ValueError
        return datetime.strptime(time_stamp, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        raise Refused(Ret.BAD_PARAMETERS, "TimeStamp must be yyyyMMddHHmmss") from None


def _encode(cipher: Cipher, data: Mapping[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_number)
    return base64.b64encode(cipher.encrypt(text.encode())).decode()


def _number(value: object) -> float:
    """Amounts are Decimal inside; four places survive a float."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in a message")


def _decode(cipher: Cipher, secret: str) -> dict[str, Any]:
    try:
        data = json.loads(
            cipher.decrypt(base64.b64decode(secret, validate=True)), parse_float=Decimal, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "Data can't be decrypted into JSON") from None
    if not isinstance(data, dict):
        raise Refused(Ret.BAD_BUSINESS_PARAMETERS, "Data holds no JSON object")
    return data


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")
