"""The client that waits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import httpx

from giftlive.client import calls
from giftlive.client.calls import Call, Retries


class Client:
    """Calls of a running service; use it as a context manager, or ``close`` it.

    Parameters
    ----------
    url : of the service, such as ``http://127.0.0.1:8000``. key : from ``giftlive keys create``.
    timeout : seconds for one try. retries : how often and how long to wait.

    Raises
    ------
    ServiceError
        By every call: the service refused it, or did not answer however often it was sent.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 10.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries or Retries()
        self._http = httpx.Client(
            base_url=url, headers=calls.headers_of(key), timeout=timeout, transport=transport
        )

    def decide(
        self,
        user_id: int,
        candidates: Iterable[int] | None = None,
        *,
        n: int = 1,
        request_id: str | None = None,
        ts: int | None = None,
    ) -> dict[str, Any]:
        """Return which of ``candidates`` (None: of all live rooms) to show to a user.

        Parameters
        ----------
        n : places to fill. request_id : names the request; the same id gets the same answer.
        ts : ms UTC at which the user is there; None: now.
        """
        call = calls.decision_call(user_id, candidates, n, request_id, ts)
        return dict(self._json(call))

    def send(self, events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Report what happened; return how many were new, joined, heard before, refused."""
        return dict(self._json(calls.events_call(events)))

    def rooms(self) -> list[dict[str, Any]]:
        """Return the live rooms."""
        return list(self._json(Call("GET", "/v1/rooms"))["rooms"])

    def prices(self) -> dict[str, Any]:
        """Return the prices in force."""
        return dict(self._json(Call("GET", "/v1/prices")))

    def policy(self) -> dict[str, Any]:
        """Return who decides, and how the guardrails stand."""
        return dict(self._json(Call("GET", "/v1/policy")))

    def set_policy(self, **change: Any) -> dict[str, Any]:
        """Switch ``policy``, ``shadow`` or ``kill_switch``; return how things stand then."""
        return dict(self._json(Call("PUT", "/v1/policy", change)))

    def set_model(self, run: str) -> dict[str, Any]:
        """Take the values of a run folder on the service's machine."""
        return dict(self._json(Call("PUT", "/v1/model", {"run": run})))

    def decision(self, decision_id: str) -> dict[str, Any]:
        """Return why a decision was as it was."""
        return dict(self._json(Call("GET", f"/v1/decisions/{decision_id}")))

    def history(self, since: int = 0, points: int = 600) -> list[dict[str, Any]]:
        """Return totals and guardrails over time."""
        call = Call("GET", "/v1/history", params={"since": since, "points": points})
        return list(self._json(call)["points"])

    def state(self, *, digest: bool = False) -> dict[str, Any]:
        """Return totals, and a digest of the whole state if asked for."""
        return dict(self._json(Call("GET", "/v1/state", params={"digest": int(digest)})))

    def export(
        self, from_ts: int = 0, to_ts: int | None = None, policy_version: str | None = None
    ) -> bytes:
        """Return the decision log as a Parquet file."""
        return self._answered(calls.export_call(from_ts, to_ts, policy_version)).content

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _json(self, call: Call) -> Any:
        return self._answered(call).json()

    def _answered(self, call: Call) -> httpx.Response:
        """Send a call until it is answered."""
        tried = 0
        while True:
            told = None
            try:
                response = self._http.request(
                    call.method, call.path, json=call.json, params=call.params
                )
            except httpx.TransportError as error:
                if tried >= self._retries.times:
                    raise calls.unreachable(error) from error
            else:
                if response.is_success:
                    return response
                if response.status_code not in calls.AGAIN or tried >= self._retries.times:
                    raise calls.refusal(response.status_code, _body(response))
                told = response.headers.get("Retry-After")
            time.sleep(self._retries.wait(tried, told))
            tried += 1


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
