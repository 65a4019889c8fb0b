"""What a card fixes: beams, subprocesses, amplitudes, channels; no arrays."""
