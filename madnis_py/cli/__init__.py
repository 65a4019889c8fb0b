"""The command line, by groups of commands; everything heavy is imported when a command needs it."""

from madnis_py.cli.app import main

__all__ = ["main"]
