"""Whether runs and event files are what they say."""
