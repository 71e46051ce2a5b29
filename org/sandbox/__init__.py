"""An emulated AWS on loopback: moto's server with the behaviour of AWS that moto lacks put back."""
