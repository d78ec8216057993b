"""The sections on metric values, in the study's report and on a page of their own."""
