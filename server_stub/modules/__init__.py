"""Office modules. Each folder with a module.toml is one module; `engine` is what they all stand on and knows none of them by name."""
