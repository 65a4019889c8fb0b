"""Les Houches text: what precedes the events, XML and weights in it, gzip around it."""
