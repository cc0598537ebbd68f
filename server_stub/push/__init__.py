"""Who is online, and how news reaches them. Knows scopes and people by id only; never looks into what it carries."""
