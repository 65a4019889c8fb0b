"""Neural multi-channel importance sampling and event generation for the LHC."""
