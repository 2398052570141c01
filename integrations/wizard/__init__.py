"""The setup wizard: a shop is connected step by step. Each step is read off the connection, so one can leave and come
back, go back, and have two tabs open; `Connection.setup` keeps the little that shows nowhere else."""
