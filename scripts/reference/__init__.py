"""Pages of the documentation that are made from the code: nobody types what a program can read.

``python -m scripts.reference`` writes them; ``tests/docs`` fails where one is not current.
"""
