"""The pages at ``/``: what goes on, what if, why; in English and Chinese, from this process."""

from giftlive.service.console.routes import Console

__all__ = ["Console"]
