"""A page to try a model in the browser: what it draws (`studio`), and how it looks (`page`)."""
