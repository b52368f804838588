"""What one trial does: data, model, two-phase loop. Knows nothing of searching."""
