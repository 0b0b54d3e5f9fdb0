"""The responder that says whether a certificate of ours still counts (RFC 6960), for whoever asks."""

import base64
import binascii
from datetime import UTC, datetime
from urllib.parse import unquote

from fastapi import APIRouter, HTTPException, Request, Response

from chargeloop.api.context import Context, Loop

router = APIRouter(tags=["certificates"])
LONGEST = 4096


@router.post("/ocsp", response_class=Response)
async def posted(context: Loop, request: Request) -> Response:
    """A DER request, as application/ocsp-request."""
    asked = b""
    async for part in request.stream():
        asked += part
        if len(asked) > LONGEST:
            raise HTTPException(413, f"a request has {LONGEST} bytes at most")
    return _answer(context, asked)


@router.get("/ocsp/{asked:path}", response_class=Response)
async def got(context: Loop, asked: str) -> Response:
    """The same in base64, within the address."""
    try:
        return _answer(context, base64.b64decode(unquote(asked), validate=True))
    except binascii.Error:
        raise HTTPException(400, "the request is not base64") from None


def _answer(context: Context, asked: bytes) -> Response:
    return Response(context.pki.statuses.answer(asked, datetime.now(UTC)), media_type="application/ocsp-response")
