"""Help → Diagnose: a window that looks at each part of the surroundings and says what is wrong and what to do."""
