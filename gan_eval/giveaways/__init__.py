"""What tells real from generated without a look at the content: found, told, refused, and taken away.

`audit` looks, `equalise` mends, `refusal` is the quiz's guard; the clues themselves are named in `clues`.
"""
