"""Checked scalar types. The bounds are enforced once, at the edge, by `chargeloop.model.validated`."""

from typing import Annotated, TypeAlias

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import AwareDatetime

Id: TypeAlias = Annotated[str, MinLen(1), MaxLen(64)]
IdToken: TypeAlias = Annotated[str, MinLen(1), MaxLen(20)]  # the shortest limit of all protocols: OCPP 1.6 CiString20
Longitude: TypeAlias = Annotated[float, Ge(-180), Le(180)]  # WGS-84, degrees
Latitude: TypeAlias = Annotated[float, Ge(-90), Le(90)]  # WGS-84, degrees
Share: TypeAlias = Annotated[float, Ge(0), Le(1)]
Positive: TypeAlias = Annotated[float, Gt(0)]
NonNegative: TypeAlias = Annotated[float, Ge(0)]
Count: TypeAlias = Annotated[int, Ge(0)]
Utc: TypeAlias = AwareDatetime  # aware; UTC inside, the site's zone is kept beside it
