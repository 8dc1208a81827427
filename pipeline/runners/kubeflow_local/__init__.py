"""Runs a compiled job on this machine: each container's own command, as a process of its own.

What it proves: the compiled file can be read and executed; its tasks are wired as they should be;
what the commands name by dotted path can be imported; and nothing passes from one task to the next
but through artifacts, for each starts in an empty folder with an environment of its own.

What it does not: no image is pulled, so that what is in the images is not tried; no service is
asked whether it takes the file; requests for CPU, memory and accelerators, retries and permissions
have no effect.

What the service does between tasks is done here: importers and resolvers, conditions and trigger
policies, the cache, exit handlers. Tasks run one after another.
"""
