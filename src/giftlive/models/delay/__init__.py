"""Late labels: laws of delay, and ways to learn from what a cut in time has not seen yet.

``follow_up`` says what a cut knew. Laws of time (``kaplan_meier``, ``weibull_aft``, ``cox``,
``discrete_hazard``) give S(t | x); ``law`` joins giving and leaving to F(H | x) and
E[amount by t]. ``maturity`` says how long labels take, ``at_once`` what has no time at all.
Treatments (``registry.TREATMENTS``) all have ``fit(follow_up)`` → ``probability(X)``; ``trained``
gives them a card and a state that is saved without pickle. ``progressive`` asks questions and hears
answers in order of time. All take arrays; whether a log holds delays at all is ``facts.delay``'s to
say, before anything here.
"""
