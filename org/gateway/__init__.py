"""The only modules that call AWS: each pages everything, returns our types, and raises our errors."""
