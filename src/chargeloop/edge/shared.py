"""What all chargers of the site share."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chargeloop.edge.buffer import Buffer
from chargeloop.edge.config import Site
from chargeloop.edge.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Shared:
    """`clock`: domain time. `tls`: of the links to the platform, where they are by wss."""

    site: Site
    buffer: Buffer
    tokens: Tokens
    clock: Callable[[], datetime]
    passwords: dict[str, str]
    tls: ssl.SSLContext | None
