"""What gives real and generated pictures away without a look at the content: audit, refusal and mending.

`audit` looks, `equalise` mends, `refusal` is the quiz's guard; the clues themselves are named in `clues`.
"""
