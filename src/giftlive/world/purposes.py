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
CANDIDATE = 1_000  # + draw number: retrieval
