"""Measurements of musefs beside what a user would take instead; see README.md here."""
