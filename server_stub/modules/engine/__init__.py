"""What every office module shares: definitions, field checks, access, read marks, alerts, due dates. Never imports a module statically."""
