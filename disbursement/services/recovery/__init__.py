"""Money asked back (追回): demands, plans of paying back, what came in."""
