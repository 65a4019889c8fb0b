"""From the words of a process to its Feynman diagrams."""
