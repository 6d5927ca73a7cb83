#!/usr/bin/python3
"""Writes statistics.json: what scipy (Debian's python3-scipy 1.10.1) says of counts, for ExactTestsTests. Run it here, without arguments."""
import json
import math
import os

from scipy import stats
from scipy.special import erfc

counts = [  # hits, draws, marked, rows
    (8, 10, 500, 1000), (10, 10, 500, 1000), (0, 10, 500, 1000), (3, 10, 500, 1000), (48, 48, 604, 4846), (93, 101, 1363, 4846), (1, 1, 1, 2),
    (250, 250, 12500, 25000), (1200, 1292, 12500, 25000), (2010, 2231, 12500, 25000), (12300, 24000, 12500, 25000), (7, 7, 7, 7), (5, 9, 5, 9),
    (400, 1000, 50000, 100000), (600, 1000, 50000, 100000), (30, 4000, 30, 5000), (900000, 999990, 900005, 1000000), (11, 40, 604, 4846),
]
fisher = [dict(hits=k, draws=n, marked=m, rows=N, p=float(stats.hypergeom.sf(k - 1, N, m, n))) for k, n, m, N in counts]
binomial = [dict(hits=k, draws=n, share=p, p=float(stats.binom.sf(k - 1, n, p)))
            for k, n, _, _ in counts if n < 100000 for p in (0.05, 0.5, 0.9, 0.95)]
lower = [dict(hits=k, draws=n, level=a, bound=float(stats.beta.ppf(a, k, n - k + 1)) if k else 0.0)
         for k, n, _, _ in counts if n < 100000 for a in (0.05, 1e-3, 3.7e-6)]
gardner = [dict(hits=k, draws=n, share=m / N, z=(k / n - m / N) / math.sqrt(m / N * (1 - m / N) / n)) for k, n, m, N in counts if 0 < m < N]
normal = [dict(z=z, p=float(stats.norm.sf(z)), erfc=float(erfc(z))) for z in (-3, -1.5, 0, 0.3, 1, 1.96, 2.7, 2.9, 4, 8, 15, 30)]
p = [float(x) for x in (1e-12, 3e-5, 0.0004, 0.0011, 0.008, 0.011, 0.02, 0.02, 0.3, 0.31, 0.6, 0.99)]
n = len(p)
bh = [min(min(p[j] * n / (j + 1) for j in range(i, n)), 1.0) for i in range(n)]  # sorted already; scipy 1.11 calls it false_discovery_control
rows = [(3, 17), (48, 0), (7, 7), (1, 999)]
words = [dict(counts=list(c), entropy=float(stats.entropy(c, base=2)), pmi=math.log2((max(c) / sum(c)) / 0.4)) for c in rows]
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "statistics.json")
with open(here, "w") as out:
    json.dump(dict(fisher=fisher, binomial=binomial, lower=lower, gardner=gardner, normal=normal, bh=dict(p=p, q=bh), words=words), out, indent=1)
    out.write("\n")
