"""Roles and what each may do; whatever is not listed is not allowed."""

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

Permission: TypeAlias = Literal[
    "see", "decide", "money", "chargers", "command", "adopt", "tokens", "audit", "accounts", "queue"
]
Role: TypeAlias = Literal["operator", "centre", "regulator", "grid", "fleet", "technician", "driver"]
PERMISSIONS: frozenset[Permission] = frozenset(get_args(Permission))
ROLES: dict[Role, frozenset[Permission]] = {
    "operator": PERMISSIONS,
    "centre": frozenset({"see", "decide", "chargers", "audit", "money"}),
    "regulator": frozenset({"see", "chargers", "audit", "money"}),
    "grid": frozenset({"see"}),
    "fleet": frozenset({"see", "decide"}),
    "technician": frozenset({"see", "chargers", "command"}),
    "driver": frozenset({"decide"}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """All that any of the roles may do; an unknown role may nothing."""
    known = {str(role): allowed for role, allowed in ROLES.items()}
    return frozenset[Permission]().union(*(known.get(role, frozenset()) for role in roles))
