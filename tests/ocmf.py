"""Meters that sign: OCMF records as a station sends them, signed here with keys made here."""

import base64
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

READING = {"TX": "B", "RI": "01-00:01.08.00*FF", "RU": "kWh", "RT": "AC", "EF": "", "ST": "G"}
HEAD = {"FV": "1.0", "GI": "Gateway", "GS": "G7", "PG": "T1", "MV": "Maker", "MS": "M7", "IS": True, "IL": "VERIFIED"}
PERSON = {"IF": ["RFID_PLAIN"], "IT": "ISO14443", "ID": "1F2D3A4F"}


@dataclass
class Meter:
    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(self.curve)

    @property
    def key(self) -> str:
        """DER in hex."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.DER, kind).hex()

    @property
    def oca_key(self) -> str:
        """As OCPP has it."""
        return base64.b64encode(f"oca:base16:asn1:{self.key}".encode()).decode()

    @property
    def pem(self) -> str:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()

    def sign(self, kwh: float, **head: object) -> str:
        reading = {"TM": "2025-06-10T09:20:00,000+0000 S", "RV": kwh, **READING}
        payload = json.dumps({**HEAD, **PERSON, **head, "RD": [reading]})
        signature = self._key.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
        return f"OCMF|{payload}|{json.dumps({'SA': f'ECDSA-{self.curve.name}-SHA256', 'SD': signature})}"
