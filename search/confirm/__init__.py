"""`python -m search.confirm RUN`: train the best again with fresh seeds; a winner or a tie.

`grid` says which configurations are trained with which seeds, `steps` does it in order.
`statistics` compares them in pairs, `optimism` measures how much the search's best figure flatters,
and `conclusion` puts both into confirm.json. `final` is `--final`: the winner once more, on all
training pictures.
"""
