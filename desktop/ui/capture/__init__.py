"""Screenshots: all screens stand still, a region or window is chosen, marked up, and copied, saved or sent."""
