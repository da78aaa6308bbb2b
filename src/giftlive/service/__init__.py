"""The decision service: who should see which room, now, and at what price.

Folder order is the flow of a request: ``api`` reads it, ``engine`` decides from the state and
applies what the ``store`` has made durable, ``committer`` stands between the two. The state is a
function of the log alone: replaying the log rebuilds it, bit for bit.
"""
