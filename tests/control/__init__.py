"""The control service over its socket."""
