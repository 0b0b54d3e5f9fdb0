"""Chains made by openssl: which lead to a root, and why the others don't."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeloop.pki import ChainBroken, path_to_root
from tests.pki.openssl_ca import AUTHORITY, LEAF, RSA, Made, issue, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)
SUB = "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chain")


@pytest.fixture(scope="module")
def root(folder: Path) -> Made:
    return new_root(folder, "root")


@pytest.fixture(scope="module")
def sub(folder: Path, root: Made) -> Made:
    return issue(folder, "sub", "/CN=sub", root, AUTHORITY)


def broken(leaf: Made, others: list[Made], root: Made, why: str, what: str, at: datetime = NOW) -> None:
    with pytest.raises(ChainBroken, match=what) as raised:
        path_to_root([leaf.certificate, *(each.certificate for each in others)], [root.certificate], at)
    assert raised.value.why == why


def test_a_path_is_found_whatever_the_order(folder: Path, root: Made, sub: Made) -> None:
    second = issue(folder, "second", "/CN=second", sub, AUTHORITY, RSA)
    leaf = issue(folder, "leaf", "/CN=leaf", second, LEAF)
    expected = [each.certificate for each in (leaf, second, sub, root)]
    orders = [[second, sub], [sub, second], [root, sub, second]]
    for others in orders:
        chain = [leaf.certificate, *(each.certificate for each in others)]
        assert path_to_root(chain, [root.certificate], NOW) == expected


def test_dates(folder: Path, root: Made, sub: Made) -> None:
    leaf = issue(folder, "dated", "/CN=dated", sub, LEAF)
    broken(leaf, [sub], root, "expired", "CN=dated has expired", NOW + timedelta(days=25))
    broken(leaf, [sub], root, "chain", "not valid yet", NOW - timedelta(days=1))
    past = issue(folder, "past", "/CN=past", root, AUTHORITY, days=-1)
    broken(issue(folder, "young", "/CN=young", past, LEAF), [past], root, "expired", "CN=past has expired")


def test_strangers_and_missing_links(folder: Path, root: Made, sub: Made) -> None:
    leaf = issue(folder, "lone", "/CN=lone", sub, LEAF)
    stranger = new_root(folder, "stranger")
    broken(leaf, [], root, "chain", "nobody known has issued CN=lone")
    broken(leaf, [sub], stranger, "chain", "nobody known has issued CN=sub")
    broken(stranger, [], root, "chain", "an authority itself")
    alone = issue(folder, "alone", "/CN=alone", root, LEAF)
    broken(alone, [], alone, "chain", "an authority itself")


def test_an_authority_renewed_with_its_key(folder: Path, root: Made) -> None:
    old = issue(folder, "renewed", "/CN=renewed", root, AUTHORITY, days=-1)
    leaf = issue(folder, "still", "/CN=still", old, LEAF)
    extensions = folder / "renewed.ext"
    new = Made(old.key, folder / "renewed-again.pem")
    openssl(
        "x509",
        "-req",
        "-in",
        folder / "renewed.csr",
        "-CA",
        root.pem,
        "-CAkey",
        root.key,
        "-out",
        new.pem,
        "-extfile",
        extensions,
    )
    for others in ([old, new], [new, old]):
        chain = [leaf.certificate, *(each.certificate for each in others)]
        assert path_to_root(chain, [root.certificate], NOW)[1] == new.certificate


def test_a_forged_signature(folder: Path, root: Made, sub: Made) -> None:
    (folder / "forged").mkdir()
    impostor = issue(folder / "forged", "sub", "/CN=sub", root, AUTHORITY)
    leaf = issue(folder, "forged-leaf", "/CN=forged", impostor, LEAF)
    broken(leaf, [sub], root, "signature", "the signature of CN=forged is wrong")


@pytest.mark.parametrize(
    ("extensions", "what"),
    [
        (LEAF, "CN=odd is no authority"),
        ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign", "may not sign"),
        (f"{AUTHORITY}\nnameConstraints=critical,permitted;DNS:example", "critical extension that is not known"),
    ],
)
def test_issuers_without_the_right(folder: Path, root: Made, extensions: str, what: str) -> None:
    odd = issue(folder, "odd", "/CN=odd", root, extensions)
    broken(issue(folder, "below", "/CN=below", odd, LEAF), [odd], root, "chain", what)


def test_path_length(folder: Path, root: Made) -> None:
    last = issue(folder, "last", "/CN=last", root, f"{SUB},pathlen:0")
    beyond = issue(folder, "beyond", "/CN=beyond", last, AUTHORITY)
    broken(issue(folder, "far", "/CN=far", beyond, LEAF), [beyond, last], root, "chain", "allows only 0 authorities below")
    path_to_root([issue(folder, "near", "/CN=near", last, LEAF).certificate, last.certificate], [root.certificate], NOW)


def test_endless_paths_end(folder: Path, root: Made) -> None:
    links = [root]
    for number in range(7):
        links.append(issue(folder, f"link{number}", f"/CN=link{number}", links[-1], AUTHORITY))
    leaf = issue(folder, "deep", "/CN=deep", links[-1], LEAF)
    broken(leaf, links[1:], root, "chain", "no trusted root within 6")


def test_weak_keys(folder: Path, root: Made) -> None:
    broken(issue(folder, "weak", "/CN=weak", root, LEAF, ("rsa:1024",)), [], root, "chain", "RSA key of 1024 bits")
    broken(issue(folder, "odd-key", "/CN=odd", root, LEAF, ("ed25519",)), [], root, "chain", "not allowed")
