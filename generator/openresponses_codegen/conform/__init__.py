"""The acceptance test for servers of Open Responses: the rules that can be seen from outside, each as named cases.

It knows nothing of the generated package and speaks to a server in raw HTTP and WebSocket frames, so that it sees what
a client would hide. Needs the extra `conform`.
"""
