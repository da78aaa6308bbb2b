"""Allocation under hard seats: the problem, its prices, and what no policy could exceed.

``Problem`` states one day of decisions and seats as arrays; ``certificate`` prices the seats and
returns an upper bound on the value any policy could collect; ``Prices`` carries those prices to
another day; ``optimal_assignment`` is the exact optimum of one batch with one seat per user.

``Batch`` states users and rooms without time, with every other limit and falling ``Returns``;
``batch_certificate`` prices its limits, ``batch_optimum`` and ``integral_allocation`` allocate
whole users, ``replanned_day`` serves them as they come, ``explain_infeasibility`` names
contradictions.
"""

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import BatchCertificate, batch_certificate
from giftlive.allocation.batch_dual import BatchPrices, batch_bound
from giftlive.allocation.batch_flow import Allocation, batch_optimum
from giftlive.allocation.certificate import Certificate, certificate, dual_bound
from giftlive.allocation.flow import Assignment, optimal_assignment
from giftlive.allocation.infeasibility import Infeasibility, explain_infeasibility
from giftlive.allocation.lognormal import LogNormalMarket
from giftlive.allocation.prices import Prices, train_prices
from giftlive.allocation.problem import Problem, stay_profile, time_buckets
from giftlive.allocation.replanning import greedy_day, replanned_day
from giftlive.allocation.returns import Returns
from giftlive.allocation.rounding import integral_allocation

__all__ = [
    "Allocation",
    "Assignment",
    "Batch",
    "BatchCertificate",
    "BatchPrices",
    "Certificate",
    "Infeasibility",
    "LogNormalMarket",
    "Prices",
    "Problem",
    "Returns",
    "batch_bound",
    "batch_certificate",
    "batch_optimum",
    "certificate",
    "dual_bound",
    "explain_infeasibility",
    "greedy_day",
    "integral_allocation",
    "optimal_assignment",
    "replanned_day",
    "stay_profile",
    "time_buckets",
    "train_prices",
]
