"""Neural networks from scalar nodes."""
