"""Pictures in: sources, splits, the pre-flight audit and the sealed test.

`spec` names a source and its sizes, `sources` opens it: `cifar10`, `imagefolder`, `parquet` or
`synthetic`, each with the methods of `Source` in `pool`. `splits` cuts a pool, `decode` reads
picture files, `early` refuses what is not there before anything is read, and `audit` (with
`audit_checks` and `duplicates`) looks for faults in a process of its own.

From outside: `load.load_training`; `load.open_sealed_test` is for the report alone. A new source is
a file here and an entry in `spec` and `sources`.
"""
