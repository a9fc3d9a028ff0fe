"""The control interface, version 1: the .proto and what `make proto` generates from it."""
