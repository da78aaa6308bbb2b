"""Every refusal in one form: ``{"error": {"code", "message", "field", "hint"}}``."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.responses import Response


class ErrorDetail(BaseModel):
    """What was wrong, where, and what to do."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


class RefusedError(Exception):
    """A request that is answered with an error.

    Attributes
    ----------
    status : HTTP status. retry_after : seconds, for 429 and 503.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after
        self.detail = ErrorDetail(code=code, message=message, field=field, hint=hint)

    def response(self) -> Response:
        """Return the answer."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(math.ceil(self.retry_after), 1))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return json_response({"error": self.detail.model_dump()}, self.status, headers)


def invalid(error: ValidationError, form: type[BaseModel]) -> RefusedError:
    """Return the refusal of a body that is not as described: the first thing that is wrong."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    code = "invalid_json" if first["type"] == "json_invalid" else "invalid_request"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "no such field"
    hint, example = f"the fields are {', '.join(form.model_fields)}", _example(form)
    by_name = first["type"] in ("extra_forbidden", "missing") and len(first["loc"]) == 1
    if example and not by_name:
        hint = f"such as {example}; all fields: /openapi.json"
    return RefusedError(422, code, message, field, hint)


def _example(form: type[BaseModel]) -> str:
    """Return the first example of a form as JSON, nothing where it has none."""
    extra = form.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return to_json(examples[0]).decode() if isinstance(examples, list) else ""


def json_response(plain: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return plain data as JSON."""
    return Response(to_json(plain), status, headers, media_type="application/json")
