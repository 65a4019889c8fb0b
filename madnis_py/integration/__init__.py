"""Multi-channel Monte Carlo on the unit cube; knows no physics."""
