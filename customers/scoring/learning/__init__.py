"""Training: how lead score models learn from what became of customers, and what is asked of them before they count.

Nothing that a web process or a migration comes by may import this: it needs numpy.
"""
