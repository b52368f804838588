"""The arms of `search.run --around RUN`: training recipes against one confusion.

`design` chooses the pair of classes and lists the arms (a baseline, a placebo and the cures) with
their seeds; `arms` trains them. Which recipes there are is in `spaces.interventions`; what came of
them is judged by `analysis.compare`. Not to be confused with the changed pictures of
`analysis.perturbations`.
"""
