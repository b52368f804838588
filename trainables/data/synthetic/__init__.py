"""Pictures of ten classes that are drawn by the program, so that no download is needed.

`source` is the face: a `Source` like those of real data. One file draws a class or a family
(`airplane`, `bird`, `frog`, `quadrupeds`, `ship`, `wheeled`), with `solids`, `outlines`, `grounds`
and `camera` below them; `names` lists the grounds, colours and textures, `habits` says what usually
goes with a class, and `biases` plants shortcuts that are known, for the validation of the report's
detectors.

From outside: `source`, `biases`, and `measures` for tests. What is drawn from a seed must not
change: run folders name these pictures by their fingerprint.
"""
