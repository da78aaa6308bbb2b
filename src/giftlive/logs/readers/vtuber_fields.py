"""The columns of VTuber 1B, as its publishing code writes them.

``superchats`` in the public edition spells ``bodylength``, ``chats`` spells ``bodyLength``; both
words are read in both. ``timestamp`` is text in most months and a Parquet time in others.
"""

from __future__ import annotations

from giftlive.logs.fields import Field
from giftlive.logs.schema import MAX_TS, Column

TIME = Field(Column("ts", "BIGINT", "UTC", False, 0, MAX_TS), ("timestamp",), "iso")
MAYBE_TIME = Field(Column("ts", "BIGINT", "UTC", True, 0, MAX_TS), ("timestamp",), "iso")
AUTHOR = Field(Column("author", "VARCHAR", "SHA-1 of the author"), ("authorChannelId",), "text")
VIDEO = Field(Column("video", "VARCHAR", "video"), ("videoId",), "text")
MAYBE_VIDEO = Field(Column("video", "VARCHAR", "video", True), ("videoId",), "text")
CHANNEL = Field(Column("channel", "VARCHAR", "channel of the video"), ("channelId",), "text")
CHAT = Field(Column("chat_id", "VARCHAR", "SHA-1 of the message"), ("id",), "text")
MAYBE_CHAT = Field(Column("chat_id", "VARCHAR", "SHA-1 of the message", True), ("id",), "text")

SUPERCHATS = (
    TIME,
    AUTHOR,
    MAYBE_VIDEO,
    CHANNEL,
    MAYBE_CHAT,
    Field(
        Column("original_amount", "DECIMAL(18, 4)", "the currency", minimum=0),
        ("amount",),
        "decimal",
    ),
    Field(Column("currency", "VARCHAR", "three letters"), ("currency",), "text"),
    Field(Column("significance", "BIGINT", "1 to 7", nullable=True), ("significance",)),
    Field(Column("body_length", "BIGINT", "characters", True, 0), ("bodylength", "bodyLength")),
)
CHATS = (TIME, AUTHOR, VIDEO, CHANNEL, MAYBE_CHAT)
BANS = (MAYBE_TIME, AUTHOR, MAYBE_VIDEO, CHANNEL)
DELETIONS = (
    MAYBE_TIME,
    CHAT,
    MAYBE_VIDEO,
    CHANNEL,
    Field(Column("retracted", "BOOLEAN", "by its own author"), ("retracted",), "flag"),
)
