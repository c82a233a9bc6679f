"""What each customer will do next: who is still active, when they buy again, what they are worth.

One file per model. `purchases` holds what the purchase models share: grouped purchase histories and the
optimiser. `bg_nbd` and `mbg_nbd` say how often a customer will buy and whether they have left; `gamma_gamma`
says how much an average order of theirs is worth.
"""
