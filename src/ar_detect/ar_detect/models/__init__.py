"""The networks that ship with this package, each with its card."""
