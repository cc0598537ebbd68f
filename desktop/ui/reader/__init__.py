"""One reader for documents: PDF, pictures, text. QtPdf is imported when the first PDF is opened, not before."""
