"""The mini panel: contacts, groups, recent talks and modules in a narrow window that hides at the edge of the screen."""
