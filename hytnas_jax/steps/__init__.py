"""What the commands do, each in its step of the work folder.

A command imports its step when it is called, so that its flags are read without JAX. A step knows its command
for the type of its `Config` alone: `python -m` runs that module under another name.
"""
