"""eMAID: what a contract of Plug and Charge is called (ISO 15118-1, annex H.1; DIN SPEC 91286), and its check digit."""

import re
from string import ascii_uppercase, digits

from chargeloop.model import BadInput

# Country, provider, nine characters of instance, and a check digit that may be left out; hyphens too.
EMAID = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[A-Z0-9]{9}[A-Z0-9]?")
SYMBOLS = digits + ascii_uppercase
WITHOUT_DIGIT = 14


def emaid_of(text: str) -> str:
    """An eMAID as we write it: upper case, no hyphens, with its check digit if it has one. The digit is not checked: what a
    certificate says is proved by its signature.

    Raises:
        BadInput: it is none.
    """
    emaid = text.upper().replace("-", "")
    if not EMAID.fullmatch(emaid):
        raise BadInput("eMAID", f"{text!r} is not like DE-8AA-CA2B3C4D5-L")
    return emaid


def typed_emaid(text: str) -> str:
    """The same of what a person has typed: a check digit that is there has to fit.

    Raises:
        BadInput: it is none, or mistyped.
    """
    emaid = emaid_of(text)
    said, right = emaid[WITHOUT_DIGIT:], check_digit(emaid)
    if said and said != right:
        raise BadInput("eMAID", f"{text!r} is mistyped: its check digit would be {right}, not {said}")
    return emaid


def check_digit(emaid: str) -> str:
    """Of an eMAID as we write it, with or without one: the symbol with which the remainder is zero."""
    return next(each for each in SYMBOLS if not any(_remainder(emaid[:WITHOUT_DIGIT] + each)))


def same_contract(one: str, other: str) -> bool:
    """Whether two eMAIDs name the same contract: the check digit is not part of it."""
    try:
        return contract_of(one) == contract_of(other)
    except BadInput:
        return False


def contract_of(text: str) -> str:
    """An eMAID without its check digit.

    Raises:
        BadInput: it is none.
    """
    return emaid_of(text)[:WITHOUT_DIGIT]


def _remainder(symbols: str) -> tuple[int, int, int, int]:
    """The value of a symbol, 0 to 35, is two bits and two digits of base 3: row vectors over the fields of 2 and of 3.

    Those at place n are multiplied by the n-th power of ((0, 1), (1, 1)) and of ((0, 1), (1, 2)); the products are added, here
    by Horner's scheme.
    """
    a = b = c = d = 0
    for value in map(SYMBOLS.index, reversed(symbols)):
        a, b = a + value // 18, b + value // 9 % 2
        c, d = c + value // 3 % 3, d + value % 3
        a, b, c, d = b % 2, (a + b) % 2, d % 3, (c + 2 * d) % 3
    return a, b, c, d
