"""The commands: each asks the layers below and tells what came of it, in text or JSON."""
