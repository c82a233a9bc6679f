"""What did a programme cause? Assignment to the held-out group, statistics, lift, power.

`holdout` says who is held out, `power` how many must be, `lift` what the programme caused and what each
customer kept cost, `statistics` holds the formulas. All of it is pure: counts and sums come in, decisions
go out, so the cost of an answer does not grow with the number of customers.
"""
