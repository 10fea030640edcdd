"""The body of a request, with a limit on its size, on its time and on how deep it nests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from glassnet.web.guard import drain

LARGEST_BODY = 1 << 20
LONGEST_SECONDS = 30.0


async def json_body(request: Request, limit: int = LARGEST_BODY) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        HTTPException: 413 where it is larger than ``limit`` bytes (told before it is read, where its length was announced), 408 where it takes
            longer than 30 s, 415 where it is compressed, 422 where it is no JSON object.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        await drain(request.scope, request.receive)
        raise HTTPException(415, "compressed requests are not read")
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced[:20]) > limit:
        await drain(request.scope, request.receive)
        raise HTTPException(413, f"at most {limit:,} bytes are read")
    content = bytearray()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            async for piece in request.stream():
                content += piece
                if len(content) > limit:
                    raise HTTPException(413, f"at most {limit:,} bytes are read")
    except TimeoutError as error:
        raise HTTPException(408, f"the request took longer than {LONGEST_SECONDS:.0f} s") from error
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, "this is no JSON that can be read") from error
    if not isinstance(value, dict):
        raise HTTPException(422, "a JSON object is expected")
    return value
