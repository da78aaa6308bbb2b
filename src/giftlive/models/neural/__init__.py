"""A network with a shared representation: click, watch, gift and amount from one training.

Only ``fit`` needs PyTorch (extra ``neural``), imported when it is called. A fitted network is
NumPy arrays and one formula, :func:`network.forward`; it predicts without PyTorch.

Steps: ``columns`` turns features and ids into standardised inputs → ``outcomes`` holds what
happened to every row → ``network`` is the formula → ``losses`` what training minimises →
``batches`` how rows are read → ``training`` the epochs → ``multi_task`` the model.
"""
