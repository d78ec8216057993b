"""The results store: each answer is stored durably before the next stimulus is shown.

A store is a SQLite file or a PostgreSQL database. In SQLite (write-ahead log, synchronous FULL), a row whose call has
returned survives a killed process and a power cut. The tables are those of `gan_eval.tables`. Every call raises
`UserError` if the store cannot be read or written, or if a value does not fit its table. Open `results.py` first.
"""

from gan_eval.store.consistency import consistent_frames, require_consistent
from gan_eval.store.merging import merge, push, push_lines
from gan_eval.store.people import (
    NoParticipantError,
    Stored,
    deleted_among,
    flags_by_session,
    forget,
    forget_in,
    has_people,
    last_answers,
    left_out,
    list_participants,
    other_design,
    session_ids,
    session_of,
    sessions_text,
    stored_of,
    with_moved_stores,
)
from gan_eval.store.records import (
    ListTakenError,
    StudyFullError,
    deal_list,
    give_back_list,
    highest_number,
    hold_session,
    is_paused,
    pause,
    places_taken,
    progress_of,
    require_place,
    require_tab,
    server_secret,
    store_design,
    stored_design,
)
from gan_eval.store.results import Addition, Store, Writer, new_session_id, open_store
