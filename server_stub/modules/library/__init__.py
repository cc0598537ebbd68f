"""资料库: folders seen by everyone or one department, documents in versions, and what of them may be kept offline."""
