"""The methods of the literature, a family per file: each a function that fills a table."""
