"""`python -m search.confirm RUN`: train the best again with fresh seeds; a winner or a tie.

`grid` says which configurations are trained with which seeds, `steps` does it in order,
`statistics` compares them in pairs and measures the optimism of the search, and `conclusion` says
what follows and writes confirm.json.
"""
