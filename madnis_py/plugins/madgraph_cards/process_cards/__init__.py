"""The cards of a process of MadGraph, from a run card of either format to a card of ours."""
