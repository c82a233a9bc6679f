"""The models alone, one file each: arrays in, parameters and expectations out; no shop, no files, no clock.

`purchases` holds what the purchase models share: grouped purchase histories and the optimiser. `bg_nbd`, `mbg_nbd`,
`mbg_cnbd` and `pareto_nbd` say how often a customer will buy and whether they have left, `counts` how the number of
orders is distributed, `covariates` what difference people make; `gamma_gamma` what an average order is worth; `bg_bb`
who gives once a period. `survivors` and `hazard` are about subscribers; `on_spark` asks models over partitions.
"""
