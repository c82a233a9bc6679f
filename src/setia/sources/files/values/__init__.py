"""How the values of a column are written: times, amounts, currency marks, phone numbers and flags.

Every module turns a text column into one DuckDB expression. Which style a column is written in is decided from the
column and said aloud: from a sample, and from all of it where the sample leaves a doubt.
"""

from setia.sources.files.values.amounts import PLAIN, AmountStyle, amount_style
from setia.sources.files.values.sql import EARLIEST, LATEST, Count, within
from setia.sources.files.values.times import TimeStyle, time_style

__all__ = ["EARLIEST", "LATEST", "PLAIN", "AmountStyle", "Count", "TimeStyle", "amount_style", "time_style", "within"]
