"""Formats of event files: readers, writers and conversion, in bounded memory."""
