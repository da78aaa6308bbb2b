"""The decision service's client: ``Client`` and ``AsyncClient``, the same calls on both.

Every call that changes something carries an id, so that it can be sent again: after a broken
connection, a 429 or a 503 the client waits as long as it was told and repeats the very same call.
"""

from giftlive.client.asynchronous import AsyncClient
from giftlive.client.calls import ServiceError
from giftlive.client.synchronous import Client

__all__ = ["AsyncClient", "Client", "ServiceError"]
"""What there is."""
