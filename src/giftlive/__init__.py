"""GiftLive decides who should see which live room, and proves what that is worth."""

__version__ = "0.1.0"
