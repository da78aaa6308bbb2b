"""Allocation under hard seats: the problem, its prices, and what no policy could exceed.

``Problem`` states one day of decisions and seats as arrays; ``certificate`` prices the seats and
returns an upper bound on the value any policy could collect; ``Prices`` carries those prices to
another day; ``optimal_assignment`` is the exact optimum of one batch with one seat per user.
"""

from giftlive.allocation.certificate import Certificate, certificate, dual_bound
from giftlive.allocation.flow import Assignment, optimal_assignment
from giftlive.allocation.prices import Prices, train_prices
from giftlive.allocation.problem import Problem, stay_profile, time_buckets

__all__ = [
    "Assignment",
    "Certificate",
    "Prices",
    "Problem",
    "certificate",
    "dual_bound",
    "optimal_assignment",
    "stay_profile",
    "time_buckets",
    "train_prices",
]
