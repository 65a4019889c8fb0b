"""Formats of event files: readers and writers, in bounded memory."""
