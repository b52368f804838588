"""How a run folder is stored: as files on a shared disk, or as objects in a store (S3).

`layout` says which files a run folder has and in which format; `journal` is its append-only list of
events; `files` writes whole files in one step. A run in an object store has one writer (`lease`), a
`working_copy` on this machine, and a `mirror` that uploads what changes; `store` wraps fsspec.

From outside: `journal.append` and `journal.read`, the functions of `files` and `layout`, and
`working_copy.working_copy`. To add a store, change `store` alone. Names and formats of files must
not change without a new `layout.FORMAT_VERSION`: old runs are still read.
"""
