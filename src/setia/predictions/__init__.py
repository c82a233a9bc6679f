"""What each customer will do next: order again and when, for how much, leave, want; and how far that may be believed.

`past` is the shop as it stood on a day; `candidates` predict from it, models and rules and `boosted` trees alike;
`backtest` judges them (`scoring`) and chooses; `correcting` mends level and season and makes intervals; `outlook` is
what the chosen one expects from today on; `foreseeing` is all that a refresh adds to customers, `reasons` and
`next_order` among it; `drift` holds it against what came. `service` is the door. Rooms of their own: `models` (without
a shop), `products` (what to suggest), `drivers` (what goes with staying).
"""
