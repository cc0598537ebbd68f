"""Official documents as PDF by GB/T 9704-2012: what a paper says (paper.py), where its lines break, which fonts, and the press. Knows no records."""
