"""People's judgements: of our stores, and of files of other programs, converted into a table `trials`.

Open `convert.py` first, which names the steps: `reading` -> `tools` (data: `tools.toml`) and `habits` -> `sources`,
`mapping` -> `words`, `answers`, `pairs` -> `rejections` -> `trials`; then `contradictions` refuses, `doubts` asks (all
by `checks`), and `read_as` sums up. `refusals` says what a table lacks.
"""
