"""Our attention layer against Keras's and the published one, on the same inputs, in turn."""

import statistics

from vitkeras.benchmark.measuring import in_turn

TOKENS = (16, 64, 196, 576)
WIDTH, HEADS, KEY_DIM = 64, 4, 64  # as in tr02c
BATCH_TOKENS = {16: 4096, 64: 4096, 196: 3136, 576: 2304}  # batch times tokens: smaller where the scores are larger
ROUNDS = 15


def compare_layers(precisions):
    """Milliseconds of a forward pass, and of forward and backward in training, for each layer and number of tokens."""
    import keras
    import tensorflow as tf

    from vitkeras import MyMultiHeadAttention, machine
    from vitkeras.benchmark.published import PublishedAttention

    makers = {"keras": keras.layers.MultiHeadAttention, "published": PublishedAttention, "ours": MyMultiHeadAttention}
    figures = []
    for precision in precisions:
        keras.config.set_dtype_policy(machine.PRECISIONS[precision])
        for tokens in TOKENS:
            keras.utils.set_random_seed(1)
            x = tf.random.normal((BATCH_TOKENS[tokens] // tokens, tokens, WIDTH))
            x = tf.cast(x, keras.config.dtype_policy().compute_dtype)
            steps = {}
            for name, maker in makers.items():
                layer = maker(HEADS, KEY_DIM, dropout=0.1)
                steps[name, "forward"], steps[name, "forward and backward"] = passes(layer, x, tf)
            for (name, direction), milliseconds in in_turn(steps, ROUNDS).items():
                figures.append(
                    {"precision": precision, "tokens": tokens, "layer": name, "pass": direction,
                     "milliseconds": milliseconds}
                )  # fmt: skip
    return figures


def passes(layer, x, tf):
    layer(x, x)

    @tf.function
    def forward():
        return layer(x, x, training=False)

    @tf.function
    def forward_and_backward():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(layer(x, x, training=True)))
        return tape.gradient(loss, [x, *(w.value for w in layer.trainable_variables)])

    return forward, forward_and_backward


def show_layers(figures):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Attention layers, width {WIDTH}, {HEADS} heads of {KEY_DIM}. Ratios: median (middle half)")
    columns = (
        "precision",
        "tokens",
        "pass",
        "Keras, ms",
        "published, ms",
        "ours, ms",
        "ours / Keras",
        "ours / published",
    )
    for column in columns:
        table.add_column(column, justify="left" if column in ("precision", "pass") else "right")
    for row in layer_rows(figures):
        table.add_row(*row)
    Console(width=120).print(table)


def layer_rows(figures):
    """The cells of the table, for each precision, number of tokens and direction."""
    times = {(f["precision"], f["tokens"], f["pass"], f["layer"]): f["milliseconds"] for f in figures}
    for precision, tokens, direction in dict.fromkeys(key[:3] for key in times):
        keras_ms, published, ours = (times[precision, tokens, direction, n] for n in ("keras", "published", "ours"))
        middles = (f"{statistics.median(ms):.2f}" for ms in (keras_ms, published, ours))
        yield [precision, str(tokens), direction, *middles, ratio(ours, keras_ms), ratio(ours, published)]


def ratio(own, base):
    """The median of the rounds' ratios, and the range of their middle half: a single round may be disturbed."""
    ratios = [a / b for a, b in zip(own, base, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
