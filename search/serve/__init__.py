"""`python -m search.serve EXPORT`: an exported model over HTTP, by Ray Serve.

`server` is the deployment and `uploads` reads pictures from requests, within limits.
"""
