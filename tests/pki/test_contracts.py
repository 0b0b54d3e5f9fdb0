"""Plug and Charge: contracts under our root and under another operator's, made and answered for by openssl."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeloop.model import BadInput, Unreachable
from chargeloop.pki import (
    CONTRACTS,
    Authority,
    Contracts,
    HashData,
    Question,
    Statuses,
    Verdict,
    check_digit,
    emaid_of,
    open_pki,
    typed_emaid,
)
from tests.pki.openssl_ca import AUTHORITY, LEAF, Made, Responder, issue, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)
EMAID, OTHER = "DE8AACA2B3C4D5", "NLTNM000122045U"
URL = "http://ocsp.example/mo"
ASKABLE = f"authorityInfoAccess=OCSP;URI:{URL}"
ACCEPTED = Verdict("Accepted", "Accepted")
CHAIN_ERROR = Verdict("CertChainError", "Invalid")


class Operator:
    """A mobility operator of openssl's making: root, sub-authority, one contract, and a responder for each authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = new_root(folder, "MO Root")
        self.sub = issue(folder, "sub", "/O=MO/CN=MO Sub", self.root, f"{AUTHORITY}\n{ASKABLE}/root")
        self.contract = self.sign("contract", EMAID)
        self.of_root, self.of_sub = Responder(folder, self.root), Responder(folder, self.sub)
        self.of_root.knows(self.sub)
        self.of_sub.knows(self.contract)

    def sign(self, name: str, emaid: str, days: int = 20, extensions: str = f"{LEAF}\n{ASKABLE}/sub") -> Made:
        return issue(self.folder, name, f"/O=MO/CN={emaid}", self.sub, extensions, days=days)

    async def fetch(self, url: str, post: tuple[str, bytes] | None) -> bytes:
        return await {f"{URL}/root": self.of_root, f"{URL}/sub": self.of_sub}[url].fetch(url, post)

    def chain(self, contract: Made | None = None) -> str:
        return (contract or self.contract).text + self.sub.text

    def hash_data(self, contract: Made | None = None) -> list[Question]:
        leaf = HashData.of((contract or self.contract).certificate, self.sub.certificate)
        return [Question(leaf, f"{URL}/sub"), Question(HashData.of(self.sub.certificate, self.root.certificate), f"{URL}/root")]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "contracts", "Stadtwerke", CONTRACTS, NOW)


@pytest.fixture
def contracts(ours: Authority, operator: Operator) -> Contracts:
    """Ours, trusting the other operator's root, with all tokens fine."""
    trusted = [operator.root.certificate]
    return Contracts(ours, Statuses([ours], operator.fetch, trusted), trusted, lambda emaid: "Accepted")


async def test_a_contract_of_another_operator_is_good(contracts: Contracts, operator: Operator) -> None:
    assert await contracts.authorise("DE-8AA-CA2B3C4D5", NOW, (), operator.chain()) == ACCEPTED
    assert await contracts.authorise(EMAID, NOW, operator.hash_data()) == ACCEPTED
    assert await contracts.authorise(f"{EMAID}X", NOW, operator.hash_data(), operator.chain()) == ACCEPTED
    assert operator.of_sub.asked == [f"{URL}/sub"], "what is known for a day is not asked again"
    assert operator.of_root.asked == [f"{URL}/root"]


@pytest.mark.parametrize("by_chain", [True, False])
async def test_revoked(contracts: Contracts, operator: Operator, by_chain: bool) -> None:
    operator.of_sub.knows(operator.contract, revoked=True)
    chain = operator.chain() if by_chain else None
    assert await contracts.authorise(EMAID, NOW, operator.hash_data(), chain) == Verdict("CertificateRevoked", "Invalid")


async def test_a_revoked_authority_takes_its_contracts_along(contracts: Contracts, operator: Operator) -> None:
    operator.of_root.knows(operator.sub, revoked=True)
    assert await contracts.authorise(EMAID, NOW, (), operator.chain()) == Verdict("CertificateRevoked", "Invalid")


async def test_expired(contracts: Contracts, operator: Operator) -> None:
    old = operator.sign("old", EMAID, days=-1)
    assert await contracts.authorise(EMAID, NOW, (), operator.chain(old)) == Verdict("CertificateExpired", "Expired")


async def test_another_operator_that_nobody_trusts(ours: Authority, operator: Operator) -> None:
    contracts = Contracts(ours, Statuses([ours], operator.fetch), (), lambda emaid: "Accepted")
    assert await contracts.authorise(EMAID, NOW, (), operator.chain()) == CHAIN_ERROR
    assert await contracts.authorise(EMAID, NOW, operator.hash_data()) == CHAIN_ERROR
    assert operator.of_sub.asked == [], "a stranger's URL is not even asked"


async def test_a_forged_contract(contracts: Contracts, operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "forger").mkdir()
    forger = Operator(tmp_path / "forger")
    forged = forger.contract.text + operator.sub.text
    assert await contracts.authorise(EMAID, NOW, (), forged) == Verdict("SignatureError", "Invalid")


async def test_what_cannot_be_verified(contracts: Contracts, operator: Operator) -> None:
    mute = operator.sign("mute", EMAID, extensions=LEAF)
    unknown = operator.sign("unknown", EMAID)
    unasked = [question._replace(url=None) for question in operator.hash_data()]
    assert await contracts.authorise(EMAID, NOW, (), operator.chain(mute)) == CHAIN_ERROR, "names no responder"
    assert await contracts.authorise(EMAID, NOW, (), operator.chain(unknown)) == CHAIN_ERROR, "which its responder doesn't know"
    assert await contracts.authorise(EMAID, NOW, (), operator.contract.text) == CHAIN_ERROR, "without its sub-authority"
    assert await contracts.authorise(OTHER, NOW, (), operator.chain()) == CHAIN_ERROR, "of another eMAID"
    assert await contracts.authorise(EMAID, NOW, (), "no certificate") == CHAIN_ERROR
    assert await contracts.authorise(EMAID, NOW, unasked) == CHAIN_ERROR
    assert await contracts.authorise(EMAID, NOW) == Verdict("NoCertificateAvailable", "Invalid")
    with pytest.raises(BadInput, match="eMAID"):
        await contracts.authorise("04A1B2C3", NOW, operator.hash_data())


async def test_a_responder_named_only_in_the_hash_data_is_asked(contracts: Contracts, operator: Operator) -> None:
    silent = operator.sign("silent", EMAID, extensions=LEAF)
    operator.of_sub.knows(silent)
    assert await contracts.authorise(EMAID, NOW, operator.hash_data(silent), operator.chain(silent)) == ACCEPTED


async def test_a_responder_that_is_away(ours: Authority, operator: Operator) -> None:
    async def away(url: str, post: tuple[str, bytes] | None) -> bytes:
        raise Unreachable(url)

    trusted = [operator.root.certificate]
    contracts = Contracts(ours, Statuses([ours], away, trusted), trusted, lambda emaid: "Accepted")
    assert await contracts.authorise(EMAID, NOW, (), operator.chain()) == CHAIN_ERROR


@pytest.mark.parametrize(
    ("token", "certificate"),
    [
        *((token, "ContractCancelled") for token in ("Blocked", "Expired", "Invalid", "Unknown")),
        *((token, "Accepted") for token in ("ConcurrentTx", "NoCredit", "NotAtThisTime")),
    ],
)
async def test_the_token_counts_too(ours: Authority, operator: Operator, token: str, certificate: str) -> None:
    trusted = [operator.root.certificate]
    contracts = Contracts(ours, Statuses([ours], operator.fetch, trusted), trusted, lambda emaid: token)
    assert await contracts.authorise(EMAID, NOW, (), operator.chain()) == Verdict(certificate, token)


async def test_a_contract_of_ours_lives_and_ends(tmp_path: Path, ours: Authority, operator: Operator) -> None:
    contracts = Contracts(ours, Statuses([ours], operator.fetch))
    chain, _ = contracts.issue("de-8aa-ca2b3c4d5-l", NOW)
    (tmp_path / "contract.pem").write_text(chain)
    root = tmp_path / "contracts" / "root.pem"
    assert b"OK" in openssl(
        "verify", "-x509_strict", "-CAfile", root, "-untrusted", tmp_path / "contract.pem", tmp_path / "contract.pem"
    )
    leaf = ours.issued_to(f"{EMAID}L")[0].certificate
    told = [Question(HashData.of(leaf, ours.sub, "SHA512"), None), Question(HashData.of(ours.sub, ours.root), None)]
    assert contracts.chains(EMAID, NOW) == [chain]
    assert await contracts.authorise(EMAID, NOW, (), chain) == ACCEPTED
    assert await contracts.authorise(EMAID, NOW, told) == ACCEPTED
    assert await contracts.authorise(OTHER, NOW, told) == CHAIN_ERROR, "another's certificate"
    assert await contracts.authorise(EMAID, NOW + timedelta(days=800), told) == Verdict("CertificateExpired", "Expired")
    assert await contracts.authorise(EMAID, NOW, [told[0]._replace(asked=told[0].asked._replace(serial=7))]) == CHAIN_ERROR
    assert contracts.revoke(EMAID, NOW) == 1
    assert contracts.revoke(EMAID, NOW) == 0
    assert contracts.chains(EMAID, NOW) == []
    assert await contracts.authorise(EMAID, NOW, (), chain) == Verdict("CertificateRevoked", "Invalid")
    assert await contracts.authorise(EMAID, NOW, told) == Verdict("CertificateRevoked", "Invalid")


async def test_nobody_stands_in_for_a_contract_of_ours(contracts: Contracts, operator: Operator) -> None:
    contracts.issue(EMAID, NOW)
    assert await contracts.authorise(EMAID, NOW, operator.hash_data()) == CHAIN_ERROR


async def test_without_a_list_of_tokens_only_our_contracts_count(ours: Authority, operator: Operator) -> None:
    trusted = [operator.root.certificate]
    contracts = Contracts(ours, Statuses([ours], operator.fetch, trusted), trusted)
    assert await contracts.authorise(EMAID, NOW, (), operator.chain()) == Verdict("ContractCancelled", "Unknown")


@pytest.mark.parametrize(("text", "emaid"), [("de-8aa-ca2b3c4d5-l", "DE8AACA2B3C4D5L"), ("DE8AACA2B3C4D5", "DE8AACA2B3C4D5")])
def test_emaids_are_written_in_one_way(text: str, emaid: str) -> None:
    assert emaid_of(text) == emaid


@pytest.mark.parametrize("text", ["", "D88AACA2B3C4D5", "DE8AACA2B3C4", "DE8AACA2B3C4D5NX", "DE 8AA CA2B3C4D5"])
def test_what_is_no_emaid(text: str) -> None:
    with pytest.raises(BadInput, match="eMAID"):
        emaid_of(text)


async def test_the_whole_office_opens_from_one_folder(tmp_path: Path, operator: Operator) -> None:
    folder = tmp_path / "pki"
    (folder / "trusted").mkdir(parents=True)
    (folder / "trusted" / "mo.pem").write_text(operator.root.text)
    pki = open_pki(folder, "Stadtwerke", NOW, fetch=operator.fetch, token_status=lambda emaid: "Accepted")
    assert await pki.contracts.authorise(EMAID, NOW, (), operator.chain()) == ACCEPTED
    assert sorted(path.name for path in folder.iterdir()) == ["contracts", "cps", "stations", "trusted", "v2g"]
    assert {pki.stations.profile.name, pki.v2g.profile.name} == {"Charging Stations", "V2G"}
    (folder / "trusted" / "odd.pem").write_bytes(b"\xff")
    with pytest.raises(BadInput, match="trusted"):
        open_pki(folder, "Stadtwerke", NOW)


# Published with their digits: by the authors of the algorithm, in a paper on eMI3's identifiers, and on those of IDACS.
DIGITS = {
    "NN123ABCDEFGHI": "T",
    "FRXYZ123456789": "2",
    "ITA1B2C3E4F5G6": "4",
    "ESZU8WOX834H1D": "R",
    "PT73902837ABCZ": "Z",
    "DE83DUIEN83QGZ": "D",
    "DE83DUIEN83ZGQ": "M",
    "DE8AA001234567": "0",
    "DE8AACA2B3C4D5": "L",
    "NLTNMC00122045": "K",
    "NLTNM000122045": "U",
}


@pytest.mark.parametrize(("emaid", "digit"), DIGITS.items())
def test_check_digits(emaid: str, digit: str) -> None:
    assert check_digit(emaid) == check_digit(f"{emaid}X") == digit
    assert typed_emaid(emaid) == emaid
    assert typed_emaid(f"{emaid}{digit}".lower()) == f"{emaid}{digit}"


def test_a_mistyped_emaid_is_refused_when_a_contract_is_made(contracts: Contracts) -> None:
    with pytest.raises(BadInput, match="'DE-8AA-CA2B3C4D5-N' is mistyped: its check digit would be L, not N"):
        contracts.issue("DE-8AA-CA2B3C4D5-N", NOW)
    symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    swapped = [
        "DE8AACA2B3C4D5L"[:n] + "DE8AACA2B3C4D5L"[n + 1] + "DE8AACA2B3C4D5L"[n] + "DE8AACA2B3C4D5L"[n + 2 :]
        for n in range(2, 14)
    ]
    wrong = ["DE8AACA2B3C4D5L"[:n] + each + "DE8AACA2B3C4D5L"[n + 1 :] for n in range(2, 15) for each in symbols]
    mistyped = sorted({*swapped, *wrong} - {"DE8AACA2B3C4D5L"})
    for each in mistyped:
        with pytest.raises(BadInput, match="mistyped"):
            typed_emaid(each)
