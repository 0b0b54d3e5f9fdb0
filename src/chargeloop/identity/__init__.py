"""Who may do what: accounts with roles, log-in, sessions, the tokens drivers charge with, and the record of who did what."""

from chargeloop.identity.accounts import Account, Accounts, Login
from chargeloop.identity.audit import Audit, AuditEntry
from chargeloop.identity.lockout import Lockout
from chargeloop.identity.roles import PERMISSIONS, ROLES, Permission, Role, permissions_of
from chargeloop.identity.tokens import Token, Tokens, is_emaid

__all__ = [
    "PERMISSIONS",
    "ROLES",
    "Account",
    "Accounts",
    "Audit",
    "AuditEntry",
    "Lockout",
    "Login",
    "Permission",
    "Role",
    "Token",
    "Tokens",
    "is_emaid",
    "permissions_of",
]
