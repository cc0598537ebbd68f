"""督察督办: matters leaders want done, taken apart, handed out, reported on, checked and struck off."""
