"""Whether a recovery waited for a processor: then its seconds on the clock say little of its method."""

MARK = " †"
FACTOR = 2
RULE = (
    "†: a recovery took more than twice as long on the clock as processors worked for it (CPU seconds, all threads "
    "together). Most of that time it waited for other work on the machine: its CPU seconds are what it costs."
)


def waited(scores):
    """Return for each row of scores (DataFrame) whether seconds > FACTOR · cpu_seconds; False where these are unknown.

    It holds for any number of threads: while one of them works, CPU seconds pass as fast as the clock's, with several
    faster. So several may have waited without being found out. Nothing is said of a recovery on a GPU, whose
    process waits for that GPU, nor of one among several fits at once.
    """
    if "cpu_seconds" not in scores:
        return scores["seconds"].lt(0)
    return scores["device"].eq("cpu") & scores["seconds"].gt(FACTOR * scores["cpu_seconds"].astype(float))
