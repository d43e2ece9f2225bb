"""Figures: how well the estate stands and how long things take, each reckoned from judgements, histories and surveys.

One rule of rounding for all: times are whole seconds, and whatever does not come out even is rounded down, once, at the
end. So 100 % means all of them. A percentile is the smallest value that occurred with at least that share of all at or
below it. Each figure speaks of the `WINDOW` that ends when it was made, or of that very moment.
"""

from datetime import timedelta

WINDOW = timedelta(days=30)
