"""Voice messages: what the microphone gives becomes a small WAV with its loudness; what colleagues said is played."""
