"""What goes with staying: `early_days` gathers what customers did and met with in their first days, `factors` declares
it, `comparing` and `adjusting` tell what difference each makes when all else is alike, `drivers` is what came out."""
