"""Which products to show whom: what goes together, what is due again, what may be shown, and in which order.

`interactions` reads who bought, viewed and returned what; `together` says what goes with what, `rhythm` what is bought
again and when; `rules` say what may be shown; `blend` turns all of it into one chance; `recommend` ranks, with a reason
for each; `judge` holds it against what was then bought.
"""
