"""Normalising flows on the unit cube, one density per channel; knows no physics."""
