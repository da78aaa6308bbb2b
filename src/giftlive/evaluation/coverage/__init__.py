"""The coverage lab: how often does each interval hold the truth, at which tail and which size?

A finite population of users stands for the world, so that the truth is a plain sum. Samples of
users are drawn from it with replacement, the interval is made by the code that reports use, and
the share of samples whose interval holds the truth is counted.
"""
