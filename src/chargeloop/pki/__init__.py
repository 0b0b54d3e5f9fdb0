"""Certificates: TLS of the chargers' port, an authority of the operator's own, and Plug and Charge contracts."""

from chargeloop.pki.authority import CONTRACTS, PROVISIONING, STATIONS, V2G, Authority, Profile
from chargeloop.pki.chain import ChainBroken, Identity, client_of, identity_of, path_to_root
from chargeloop.pki.clearing import Clearing, Forward
from chargeloop.pki.contracts import Contracts, Verdict
from chargeloop.pki.emaid import check_digit, emaid_of, typed_emaid
from chargeloop.pki.fetch import Fetch, Fetcher
from chargeloop.pki.ocsp import Answer, HashData, read_answer, responder_of
from chargeloop.pki.office import Pki, open_pki
from chargeloop.pki.provisioning import Provided, Provisioning
from chargeloop.pki.statuses import Question, Statuses
from chargeloop.pki.tls import Credentials, Pair, Tls, context_of
from chargeloop.pki.vehicles import Assignment, Vehicles

__all__ = [
    "CONTRACTS",
    "PROVISIONING",
    "STATIONS",
    "V2G",
    "Answer",
    "Assignment",
    "Authority",
    "ChainBroken",
    "Clearing",
    "Contracts",
    "Credentials",
    "Fetch",
    "Fetcher",
    "Forward",
    "HashData",
    "Identity",
    "Pair",
    "Pki",
    "Profile",
    "Provided",
    "Provisioning",
    "Question",
    "Statuses",
    "Tls",
    "Vehicles",
    "Verdict",
    "check_digit",
    "client_of",
    "context_of",
    "emaid_of",
    "identity_of",
    "open_pki",
    "path_to_root",
    "read_answer",
    "responder_of",
    "typed_emaid",
]
