"""An HTML report as a PDF: its headings, texts, lists, tables and drawings, set as pages in a process of its own."""
