"""Who asks, and whether they may."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from giftlive.errors import UnavailableError
from giftlive.service.api.errors import RefusedError
from giftlive.service.keys import KeyBook, allows
from giftlive.service.limits import Buckets

_BEARER = "bearer "


@dataclass
class Access:
    """Keys and rates.

    Attributes
    ----------
    book : None: no key is asked for, on a machine of one's own.
    """

    book: KeyBook | None
    buckets: Buckets

    def require(self, request: Request, scopes: Sequence[str]) -> str:
        """Return who asks.

        Raises
        ------
        RefusedError
            401 without a good key, 403 without the scope, 429 too often, 503 keys unknown.
        """
        name = "anybody"
        if self.book is not None:
            try:
                row = self.book.row_of(_key(request))
            except UnavailableError as error:
                raise RefusedError(503, "unavailable", error.what, retry_after=1.0) from error
            if row is None:
                hint = "Authorization: Bearer KEY; `giftlive keys create` makes one"
                raise RefusedError(401, "unauthorised", "no valid key", hint=hint)
            if not allows(row, scopes):
                wanted = " or ".join(scopes)
                raise RefusedError(
                    403, "forbidden", "the key may not do this", hint=f"a key for {wanted}"
                )
            name = row.key_id
        wait = self.buckets.wait(name, time.monotonic())
        if wait > 0.0:
            raise RefusedError(429, "too_many_requests", "too often", retry_after=wait)
        return name


def _key(request: Request) -> str | None:
    header = request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() == _BEARER:
        return header[len(_BEARER) :].strip()
    return request.headers.get("x-api-key")
