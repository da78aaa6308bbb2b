"""What a keyed draw is for. One number each; they are part of a world's identity.

A draw is ``uniform(seed, PURPOSE, user, visit, slot)``: nothing else can move it.
"""

VISIT = 1  # gap before a potential visit
LENGTH = 2  # exposures in a visit
RETURN = 3  # whether a potential visit happens
SKIP = 4  # time spent on a room that is skipped
PLATFORM = 5  # the platform's own choice
CLICK = 6
STAY = 7  # bounce or stay
WATCH = 8  # watch time
GIFT = 9  # latent gift
AMOUNT = 10
DELAY = 11  # latent time of the gift
BACKGROUND = 12  # viewers outside the sample
CHURN = 13  # whether a dissatisfied user leaves for good
SUPPLY = 14  # whether a streamer stays off air for a day
COMMENT = 15
COMMENT_TIME = 16
LIKE = 17
LIKE_TIME = 18
STAMP = 41  # recorder: which time a gift's row carries
ORPHAN = 42  # recorder: whether a gift's click row is lost
OUTAGE = 43  # recorder: whether a click without a gift is lost on an outage day
PRESSES = 44  # recorder: presses in which a gift was sent
PRESS_TIME = 45  # recorder: when each press but the first came
ARRIVAL = 46  # recorder: how late a gift's record arrives
CANDIDATE = 1_000  # + draw number: retrieval
