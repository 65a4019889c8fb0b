"""Parts of a Les Houches file that are not events: header, beams, weight groups."""
