"""Pure values that every room shares: errors, time, money, languages, figures. Knows no room, does no I/O."""
