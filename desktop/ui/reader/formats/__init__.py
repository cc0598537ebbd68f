"""Files beyond PDF and OFD made ready to be shown: archives, workbooks, texts with form, slides, sound and film. Each is read within limits."""
