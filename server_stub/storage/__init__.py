"""Where things are kept: the database with its one writer, and the files of blobs. Knows nothing of what it stores."""
