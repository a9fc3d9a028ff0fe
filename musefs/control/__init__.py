"""The face to the operator: a gRPC service on a Unix socket, and its client.

The interface itself is v1/musefs.proto. gRPC is imported here and nowhere else.
"""
