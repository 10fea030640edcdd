"""Of the live page so far: ``guard``, which every request must pass, and ``tail``, which reads growing files by what was appended. The page itself is to come."""
