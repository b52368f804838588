"""The settings of a run: what they are, how they are checked and how they are typed.

`groups` declares each setting once with its default and its help; `settings` is the whole, checked
when it is made; `command_line` reads flags and TOML files; `checks` finds, before anything heavy is
imported, what would fail later (a missing picture folder, a GPU that is not there).

A new setting is a field in `groups`. Nothing here imports PyTorch or Ray.
"""
